package weir.bench;

import java.nio.ByteBuffer;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The workload range-join on Kafka Streams, as bench/pipeline/range-join.ts does it. */
public final class RangeJoinPeer {
  private RangeJoinPeer() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String input = arguments.text("input");
    String rows = arguments.text("rows");
    String output = arguments.text("output");
    long cacheBytes = arguments.number("cacheBytes");
    arguments.number("records");
    Properties settings = Peer.settings(arguments, cacheBytes);
    arguments.end();

    Peer.run(topology(input, rows, output, cacheBytes > 0), settings);
  }

  private static Topology topology(String input, String rows, String output, boolean isCached) {
    var builder = new StreamsBuilder();
    var store = Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore("rows"), Serdes.String(), Serdes.ByteArray());
    builder.addStateStore(isCached ? store.withCachingEnabled() : store.withCachingDisabled());
    builder.stream(rows, Consumed.with(Serdes.String(), Serdes.ByteArray())).process(Keeper::new, "rows");
    builder.stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .process(Joiner::new, "rows")
        .to(output, Produced.with(Serdes.String(), Serdes.String()));
    return builder.build();
  }

  private static String rowKey(String key, int time) {
    String digits = Integer.toString(time);
    return key + "/" + "0000000000".substring(digits.length()) + digits;
  }

  private static final class Keeper implements Processor<String, byte[], Void, Void> {
    private KeyValueStore<String, byte[]> rows;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      rows = context.getStateStore("rows");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      rows.put(rowKey(record.key(), ByteBuffer.wrap(record.value()).getInt()), record.value());
    }
  }

  private static final class Joiner implements Processor<String, byte[], String, String> {
    private ProcessorContext<String, String> context;
    private KeyValueStore<String, byte[]> rows;

    @Override
    public void init(ProcessorContext<String, String> context) {
      this.context = context;
      rows = context.getStateStore("rows");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      ByteBuffer bounds = ByteBuffer.wrap(record.value());
      int count = 0;
      long sum = 0;
      try (KeyValueIterator<String, byte[]> neighbours =
          rows.range(rowKey(record.key(), bounds.getInt()), rowKey(record.key(), bounds.getInt()))) {
        while (neighbours.hasNext()) {
          KeyValue<String, byte[]> row = neighbours.next();
          count++;
          sum += ByteBuffer.wrap(row.value).getInt(4);
        }
      }
      context.forward(record.withValue(count + " " + sum));
    }
  }
}
