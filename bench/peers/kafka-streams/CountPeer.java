package weir.bench;

import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The count workload on Kafka Streams: a topic of (string, bytes) counted per key into the store {@code counts}, every update (with a
 * cache: what leaves it) to the output topic as (string, long).
 */
public final class CountPeer {
  private CountPeer() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String input = arguments.text("input");
    String output = arguments.text("output");
    long records = arguments.number("records");
    long cacheBytes = arguments.number("cacheBytes");
    Properties settings = Peer.settings(arguments, cacheBytes);
    arguments.end();

    Peer.run(topology(input, output, records, cacheBytes > 0), settings);
  }

  private static Topology topology(String input, String output, long records, boolean isCached) {
    var builder = new StreamsBuilder();
    var counts = Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.Long());
    Peer.source(builder, input, Serdes.ByteArray(), records, isCached)
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .count(isCached ? counts.withCachingEnabled() : counts.withCachingDisabled())
        .toStream()
        .to(output, Produced.with(Serdes.String(), Serdes.Long()));
    return builder.build();
  }
}
