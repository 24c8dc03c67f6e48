import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/testing/global-topologies.ts. */
final class GlobalTopologies {
  /** Keeps values under themselves, with all their keys. */
  private static final class Inverting extends ContextualProcessor<String, String, Void, Void> {
    private KeyValueStore<String, String> store;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore("inverted");
    }

    @Override
    public void process(Record<String, String> record) {
      if (record.value() == null) return;
      String before = store.get(record.value());
      store.put(record.value(), (before == null ? "" : before) + record.key() + ".");
    }
  }

  private static final class Looking extends ContextualProcessor<String, String, String, String> {
    @Override
    public void process(Record<String, String> record) {
      KeyValueStore<String, String> store = context().getStateStore("inverted");
      String found = record.value() == null ? "none" : store.get(record.value());
      context().forward(record.withValue(record.value() + " " + found));
    }
  }

  private GlobalTopologies() {}

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("global-table", builder -> {
      GlobalKTable<String, String> table = builder.globalTable("b");
      KStream<String, String> stream = builder.stream("a");
      stream.join(table, (key, value) -> key, (l, r) -> l + "+" + r).to("out");
      stream.leftJoin(table, (key, value) -> value == null ? null : "k" + value.substring(1), (key, l, r) -> key + ":" + l + "?" + r,
          Named.as("left")).to("out");
      stream.join(table, (key, value) -> value == null || value.equals("v3") ? null : "k1", (key, l, r) -> key + ":" + l + "=" + r).to("out");
      stream.groupByKey().count().toStream().leftJoin(table, (key, value) -> key, (l, r) -> l + "#" + r).to("out");
    });

    topologies.put("global-table-written", builder -> {
      GlobalKTable<String, String> table = builder.globalTable("out", Materialized.as("global"));
      builder.<String, String>stream("a").leftJoin(table, (key, value) -> key, (l, r) -> r == null || r.length() > 12 ? l : l + r)
          .filter((key, value) -> key != null).to("out");
    });

    topologies.put("global-store", builder -> {
      builder.addGlobalStore(
          Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("inverted"), Serdes.String(), Serdes.String()),
          "b", Consumed.with(Serdes.String(), Serdes.String()), Inverting::new);
      builder.<String, String>stream("a").process(Looking::new).to("out");
    });
  }
}
