package weir.bench;

import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** The avro-count workload on Kafka Streams: page views in Avro are counted and added up by user; the totals are Avro in the store and put out. */
public final class AvroCountPeer {
  private AvroCountPeer() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String input = arguments.text("input");
    String output = arguments.text("output");
    long records = arguments.number("records");
    long cacheBytes = arguments.number("cacheBytes");
    var views = new AvroSerde<PageView>(Schemas.PAGE_VIEW, (int) arguments.number("viewSchemaId"));
    var totals = new AvroSerde<ViewTotals>(Schemas.VIEW_TOTALS, (int) arguments.number("totalsSchemaId"));
    Properties settings = Peer.settings(arguments, cacheBytes);
    arguments.end();

    boolean isCached = cacheBytes > 0;
    var builder = new StreamsBuilder();
    var store = Materialized.<String, ViewTotals, KeyValueStore<Bytes, byte[]>>as("totals")
        .withKeySerde(Serdes.String())
        .withValueSerde(totals);
    Peer.source(builder, input, views, records, isCached)
        .groupByKey(Grouped.with(Serdes.String(), views))
        .aggregate(
            ViewTotals::new,
            (user, view, before) -> before.with(view),
            isCached ? store.withCachingEnabled() : store.withCachingDisabled())
        .toStream()
        .to(output, Produced.with(Serdes.String(), totals));
    Peer.run(builder.build(), settings);
  }
}
