package weir.bench;

import java.nio.ByteBuffer;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** The workload large-state on Kafka Streams, as bench/pipeline/large-state.ts does it. */
public final class LargeStatePeer {
  private LargeStatePeer() {}

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
    var rows = Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("rows")
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.ByteArray());
    Peer.source(builder, input, Serdes.ByteArray(), records, isCached)
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .aggregate(
            () -> new byte[8],
            (key, value, row) -> {
              long count = ByteBuffer.wrap(row).getLong() + 1;
              return ByteBuffer.allocate(8 + value.length).putLong(count).put(value).array();
            },
            isCached ? rows.withCachingEnabled() : rows.withCachingDisabled())
        .toStream()
        .mapValues(row -> ByteBuffer.wrap(row).getLong())
        .to(output, Produced.with(Serdes.String(), Serdes.Long()));
    return builder.build();
  }
}
