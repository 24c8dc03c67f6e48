import java.lang.reflect.Field;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;
import org.apache.kafka.streams.processor.internals.StreamTask;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/process/operators/join-topologies.ts. */
final class JoinTopologies {
  /** The same of the same row, deleted ones too. */
  private static final class Marking implements ValueTransformerWithKey<String, String, String> {
    @Override
    public void init(ProcessorContext context) {}

    @Override
    public String transform(String key, String value) {
      return value == null ? "none" : value.equals("v7") ? null : key + "!" + value;
    }

    @Override
    public void close() {}
  }

  /** Tells how often it was called for a key. */
  private static final class Counting implements ValueTransformerWithKey<String, String, String> {
    private KeyValueStore<String, String> calls;

    @Override
    public void init(ProcessorContext context) {
      calls = context.getStateStore("calls");
    }

    @Override
    public String transform(String key, String value) {
      String before = calls.get(key);
      calls.put(key, before == null ? "1" : String.valueOf(Integer.parseInt(before) + 1));
      return value == null ? null : value + before;
    }

    @Override
    public void close() {}
  }

  private JoinTopologies() {}

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static void show(KTable<String, String> table, String label) {
    table.toStream().mapValues(value -> label + " " + value).to("out");
  }

  private static JoinWindows windows(int beforeMs, int afterMs, int graceMs) {
    return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(100), Duration.ofMillis(graceMs))
        .before(Duration.ofMillis(beforeMs))
        .after(Duration.ofMillis(afterMs));
  }

  private static void streamJoin(Map<String, Consumer<StreamsBuilder>> topologies, String name, JoinWindows windows) {
    topologies.put("stream-join-inner-" + name, builder -> builder.<String, String>stream("a")
        .join(builder.<String, String>stream("b"), (key, l, r) -> key + ":" + l + "+" + r, windows).to("out"));
    topologies.put("stream-join-left-" + name, builder -> builder.<String, String>stream("a")
        .leftJoin(builder.<String, String>stream("b"), (key, l, r) -> key + ":" + l + "+" + r, windows).to("out"));
    topologies.put("stream-join-outer-" + name, builder -> builder.<String, String>stream("a")
        .outerJoin(builder.<String, String>stream("b"), (key, l, r) -> key + ":" + l + "+" + r, windows).to("out"));
  }

  /** Joins of streams look for records that wait in vain once a second; the driver has switched that off. */
  static void throttle(TopologyTestDriver driver) throws ReflectiveOperationException {
    StreamTask task = (StreamTask) read(driver, TopologyTestDriver.class, "task");
    Field topology = Class.forName("org.apache.kafka.streams.processor.internals.AbstractTask").getDeclaredField("topology");
    topology.setAccessible(true);
    var nodes = ((org.apache.kafka.streams.processor.internals.ProcessorTopology) topology.get(task)).processors();
    for (ProcessorNode<?, ?, ?, ?> node : nodes) {
      Object processor = read(node, ProcessorNode.class, "processor");
      if (processor == null || !processor.getClass().getName().contains("KStreamKStreamJoin")) continue;
      Object tracker = read(processor, processor.getClass().getSuperclass(), "sharedTimeTracker");
      var setter = tracker.getClass().getDeclaredMethod("setEmitInterval", long.class);
      setter.setAccessible(true);
      setter.invoke(tracker, 1000L);
    }
  }

  private static Object read(Object object, Class<?> type, String name) throws ReflectiveOperationException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(object);
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("table-join", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.join(right, (l, r) -> l + "+" + r), "inner");
      show(left.leftJoin(right, (l, r) -> l + "+" + r), "left");
      show(left.outerJoin(right, (l, r) -> l + "+" + r), "outer");
      show(left.join(left, (l, r) -> l + "=" + r), "self");
    });

    topologies.put("table-join-unread", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.join(right, (l, r) -> r.equals("v7") ? null : l + "+" + r), "inner");
    });

    topologies.put("table-join-stored", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      KTable<String, String> inner = left.join(right, (l, r) -> r.equals("v7") ? null : l + "+" + r, as("inner"));
      KTable<String, String> outer = left.outerJoin(right, (l, r) -> l + "-" + r, as("outer"));
      show(inner, "inner");
      show(inner.filter((key, value) -> value.compareTo("v5") < 0), "small");
      show(outer.filter((key, value) -> value.compareTo("v5") < 0, as("small-outer")), "small outer");
      left.toStream().join(inner, (l, r) -> "stream " + l + "/" + r).to("out");
    });

    topologies.put("table-join-computed", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      KTable<String, String> some = left.mapValues(value -> value.equals("v3") ? null : "m" + value);
      KTable<String, String> few = right.filter((key, value) -> value.compareTo("v5") < 0);
      KTable<String, String> joined = some.leftJoin(few, (l, r) -> l + "+" + r);
      KTable<String, String> both = some.outerJoin(few, (l, r) -> l + "|" + r);
      show(joined.filter((key, value) -> !value.contains("v1")), "joined");
      show(both.filter((key, value) -> !value.contains("v2")), "both");
      show(joined.join(both, (l, r) -> l + " and " + r), "nested");
      KStream<String, String> stream = left.toStream();
      stream.leftJoin(both, (l, r) -> "stream " + l + "/" + r).to("out");
      stream.join(joined, (l, r) -> "inner stream " + l + "/" + r).to("out");
    });

    topologies.put("table-join-aggregates", builder -> {
      KTable<String, Long> left = builder.<String, String>stream("a").groupByKey().count();
      KTable<String, String> right = builder.<String, String>stream("b").groupByKey()
          .reduce((aggregate, value) -> aggregate.length() > 8 ? null : aggregate + value);
      show(left.join(right, (l, r) -> l + "+" + r), "inner");
      show(left.outerJoin(right, (l, r) -> l + "+" + r).filter((key, value) -> value.length() < 8), "outer");
    });

    topologies.put("table-join-windowed", builder -> {
      TimeWindows windows = TimeWindows.ofSizeAndGrace(Duration.ofMillis(20), Duration.ofMillis(30));
      SessionWindows sessions = SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(3), Duration.ofMillis(40));
      var left = builder.<String, String>stream("a").groupByKey();
      var right = builder.<String, String>stream("b").groupByKey();
      left.windowedBy(windows).count().outerJoin(right.windowedBy(windows).count(), (l, r) -> l + "+" + r)
          .toStream((key, value) -> key.key() + "@" + key.window().start()).to("out");
      left.windowedBy(sessions).count().leftJoin(right.windowedBy(sessions).count(), (l, r) -> l + "~" + r)
          .toStream((key, value) -> key.key() + "@" + key.window().start()).to("out");
    });

    topologies.put("stream-split", builder -> {
      Map<String, KStream<String, String>> branches = builder.<String, String>stream("a")
          .split(Named.as("split-"))
          .branch((key, value) -> value == null, Branched.as("deleted"))
          .branch((key, value) -> value.compareTo("v3") < 0)
          .branch((key, value) -> value.compareTo("v5") < 0, Branched.as("middle"))
          .defaultBranch(Branched.as("rest"));
      for (String name : List.of("deleted", "2", "middle", "rest")) {
        branches.get("split-" + name).mapValues(value -> name + " " + value).to("out");
      }
      builder.<String, String>stream("a").split().branch((key, value) -> key != null).noDefaultBranch()
          .values().forEach(stream -> stream.to("out"));
    });

    topologies.put("table-transform", builder -> {
      builder.addStateStore(Stores.keyValueStoreBuilder(
          Stores.inMemoryKeyValueStore("calls"), Serdes.String(), Serdes.String()));
      KTable<String, String> table = builder.table("a");
      show(table.transformValues(Counting::new, "calls"), "counted");
      show(table.transformValues(Counting::new, as("stored"), "calls").filter((key, value) -> value.length() < 8), "stored");
      KTable<String, String> plain = table.transformValues(Marking::new);
      show(plain.filter((key, value) -> !value.contains("v3")), "plain");
      show(builder.<String, String>table("b").leftJoin(plain, (l, r) -> l + "+" + r), "joined");
    });

    topologies.put("to-table", builder -> {
      KTable<String, String> table = builder.<String, String>stream("a").mapValues(value -> value == null ? null : "m" + value)
          .toTable(Materialized.with(Serdes.String(), Serdes.String()));
      show(table, "table");
      show(builder.<String, String>stream("b").toTable().leftJoin(table, (l, r) -> l + "+" + r), "joined");
      show(table.filter((key, value) -> value.compareTo("mv5") < 0), "small");
    });

    streamJoin(topologies, "throttled", windows(10, 10, 5));
    streamJoin(topologies, "throttled-at-once", windows(0, 0, 0));
    streamJoin(topologies, "even", windows(10, 10, 5));
    streamJoin(topologies, "before", windows(25, 3, 2));
    streamJoin(topologies, "after", windows(2, 30, 0));
    streamJoin(topologies, "ahead", windows(-3, 20, 30));
    streamJoin(topologies, "same-time", windows(0, 0, 0));
    streamJoin(topologies, "back", windows(12, -12, 0));

    topologies.put("stream-join-self", builder -> {
      KStream<String, String> stream = builder.stream("a");
      stream.join(stream, (l, r) -> l + "=" + r, windows(4, 2, 3)).to("out");
      stream.outerJoin(stream.mapValues(value -> value == null ? null : "m" + value), (l, r) -> l + "~" + r, windows(-1, 3, 0)).to("out");
    });

    for (int graceMs : new int[] {0, 30}) {
      topologies.put("optimized-self-join-" + graceMs, builder -> {
        KStream<String, String> stream = builder.stream("a");
        stream.join(stream, (l, r) -> l + "=" + r, windows(8, 5, graceMs)).to("out");
        stream.outerJoin(stream, (l, r) -> l + "~" + r, windows(-1, 6, graceMs)).to("out");
      });
    }

    topologies.put("stream-join-chained", builder -> {
      KStream<String, String> right = builder.stream("b");
      builder.<String, String>stream("a")
          .leftJoin(right, (l, r) -> l + "+" + r, windows(6, 6, 10))
          .outerJoin(right.mapValues(value -> value == null ? null : "n" + value), (l, r) -> l + "|" + r, windows(3, 8, 4))
          .to("out");
    });
  }
}
