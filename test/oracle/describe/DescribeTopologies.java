import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.InternalTopologyBuilder;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Writes what Kafka Streams' Topology.describe() says of some topologies, a file each. The same topologies are in
 * test/unit/topology/described-topologies.ts; test/oracle/run.sh runs it. Those of the DSL are described with optimisation, too.
 */
public final class DescribeTopologies {
  private static final Map<String, Supplier<Topology>> TOPOLOGIES = new LinkedHashMap<>();

  /** As it is, and with every optimisation. */
  private static void dsl(String name, Consumer<StreamsBuilder> define) {
    TOPOLOGIES.put(name, () -> {
      StreamsBuilder builder = new StreamsBuilder();
      define.accept(builder);
      return builder.build();
    });
    optimized(name + "-optimized", StreamsConfig.OPTIMIZE, define);
  }

  /** A processor may change keys and values: a repartition topic below it does not move above it. Kafka Streams has to be told. */
  private static void optimized(String name, String rules, Consumer<StreamsBuilder> define) {
    TOPOLOGIES.put(name, () -> {
      Properties properties = new Properties();
      properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "described");
      properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
      properties.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, rules);
      properties.put(TopologyConfig.InternalConfig.ENABLE_PROCESS_PROCESSVALUE_FIX, true);
      StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(properties)));
      define.accept(builder);
      return builder.build(properties);
    });
  }

  private static void api(String name, Consumer<Topology> define) {
    TOPOLOGIES.put(name, () -> {
      Topology topology = new Topology();
      define.accept(topology);
      return topology;
    });
  }

  private static Processor<String, String, String, String> processor() {
    return new ContextualProcessor<>() {
      @Override
      public void process(Record<String, String> record) {}
    };
  }

  private static ContextualFixedKeyProcessor<String, String, String> fixedKeyProcessor() {
    return new ContextualFixedKeyProcessor<>() {
      @Override
      public void process(FixedKeyRecord<String, String> record) {}
    };
  }

  private static StoreBuilder<KeyValueStore<String, String>> store(String name) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), Serdes.String());
  }

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  static {
    dsl("word-count", builder -> stream(builder, "lines")
        .flatMapValues(value -> List.of(value.split(" ")))
        .groupBy((key, value) -> value)
        .count(as("counts"))
        .toStream()
        .to("counted", Produced.with(Serdes.String(), Serdes.Long())));

    dsl("every-step", builder -> stream(builder, "a")
        .filter((key, value) -> true)
        .filterNot((key, value) -> false)
        .map(KeyValue::pair)
        .mapValues(value -> value)
        .flatMap((key, value) -> List.of(KeyValue.pair(key, value)))
        .flatMapValues(value -> List.of(value))
        .selectKey((key, value) -> key)
        .peek((key, value) -> {})
        .process(DescribeTopologies::processor)
        .processValues(DescribeTopologies::fixedKeyProcessor)
        .repartition()
        .foreach((key, value) -> {}));

    dsl("named-steps", builder -> {
      builder.addStateStore(store("kept"));
      KStream<String, String> other = builder.stream("b", Consumed.<String, String>as("other"));
      builder.stream("a", Consumed.<String, String>as("in"))
          .filter((key, value) -> true, Named.as("filtered"))
          .mapValues(value -> value, Named.as("mapped"))
          .merge(other, Named.as("merged"))
          .process(DescribeTopologies::processor, Named.as("processed"), "kept")
          .selectKey((key, value) -> key, Named.as("rekeyed"))
          .repartition(Repartitioned.<String, String>as("together").withNumberOfPartitions(3))
          .groupByKey(Grouped.as("grouping"))
          .count(Named.as("counter"), as("counts"))
          .filter((key, value) -> true, Named.as("large"), as("large-counts"))
          .toStream(Named.as("stream"))
          .mapValues(value -> value)
          .to("out", Produced.as("sink"));
    });

    dsl("aggregates", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "a").groupByKey();
      grouped.count().toStream().to("count");
      grouped.count(Materialized.with(Serdes.String(), Serdes.Long())).toStream().to("count-with");
      grouped.reduce((aggregate, value) -> value).toStream().to("reduce");
      grouped.reduce((aggregate, value) -> value, as("reduced")).toStream().to("reduce-as");
      grouped.aggregate(() -> "", (key, value, aggregate) -> aggregate).toStream().to("aggregate");
      grouped.aggregate(() -> "", (key, value, aggregate) -> aggregate, as("aggregated")).toStream().to("aggregate-as");
    });

    dsl("windowed-aggregates", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "a").groupByKey();
      TimeWindowedKStream<String, String> time =
          grouped.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(5), Duration.ofMinutes(1)).advanceBy(Duration.ofMinutes(1)));
      TimeWindowedKStream<String, String> sliding =
          grouped.windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(5)));
      SessionWindowedKStream<String, String> sessions =
          grouped.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMinutes(5)));
      time.count().toStream().to("count");
      time.count(Materialized.with(Serdes.String(), Serdes.Long())).toStream().to("count-with");
      time.count(Named.as("counter"), Materialized.as("counts")).toStream().to("count-as");
      time.reduce((aggregate, value) -> value).toStream().to("reduce");
      time.aggregate(() -> "", (key, value, aggregate) -> aggregate).toStream().to("aggregate");
      sliding.count().toStream().to("sliding-count");
      sliding.count(Materialized.with(Serdes.String(), Serdes.Long())).toStream().to("sliding-count-with");
      sliding.reduce((aggregate, value) -> value).toStream().to("sliding-reduce");
      sliding.aggregate(() -> "", (key, value, aggregate) -> aggregate, Materialized.as("slid")).toStream().to("sliding-aggregate");
      sessions.count().toStream().to("session-count");
      sessions.count(Materialized.with(Serdes.String(), Serdes.Long())).toStream().to("session-count-with");
      sessions.reduce((aggregate, value) -> value, Named.as("reducer")).toStream().to("session-reduce");
      sessions.aggregate(() -> "", (key, value, aggregate) -> aggregate, (key, one, two) -> one)
          .filter((key, value) -> true).toStream().to("session-aggregate");
      grouped.windowedBy(UnlimitedWindows.of()).count().toStream().to("unlimited");
      time.emitStrategy(EmitStrategy.onWindowClose()).count().toStream().to("closed");
      sliding.emitStrategy(EmitStrategy.onWindowClose()).count(Materialized.with(Serdes.String(), Serdes.Long()))
          .toStream().to("sliding-closed");
      sessions.emitStrategy(EmitStrategy.onWindowClose()).reduce((aggregate, value) -> value).toStream().to("session-closed");
    });

    dsl("windowed-after-repartition", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "a").groupBy((key, value) -> value, Grouped.as("by-value"));
      grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(5))).count().toStream().to("count");
      grouped.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMinutes(5))).count().toStream().to("sessions");
      grouped.count().toStream().to("all");
      KTable<Windowed<String>, Long> hourly = stream(builder, "b")
          .selectKey((key, value) -> value)
          .groupByKey()
          .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofHours(1)))
          .count();
      hourly.toStream().selectKey((key, value) -> key.key()).groupByKey(Grouped.with(Serdes.String(), Serdes.Long()))
          .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofDays(1))).reduce(Long::sum).toStream().to("daily");
    });

    dsl("repartition-for-each-aggregate", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "a").selectKey((key, value) -> value).groupByKey();
      grouped.count().toStream().to("count");
      grouped.reduce((aggregate, value) -> value, as("reduced")).toStream().to("reduce");
      stream(builder, "late").to("late-out");
    });

    dsl("repartition-shared-by-name", builder -> {
      KGroupedStream<String, String> grouped =
          stream(builder, "a").groupBy((key, value) -> value, Grouped.as("by-value"));
      grouped.count().toStream().to("count");
      stream(builder, "between").to("between-out");
      grouped.reduce((aggregate, value) -> value, as("reduced")).toStream().to("reduce");
    });

    dsl("merged-sources", builder -> {
      stream(builder, "a").filter((key, value) -> true).to("first");
      stream(builder, "b").to("second");
      stream(builder, "a").mapValues(value -> value).to("third");
      builder.stream(List.of("x", "y", "z", "orders", "payments")).to("fourth");
    });

    dsl("merge-then-group", builder -> stream(builder, "a")
        .merge(stream(builder, "b").selectKey((key, value) -> value))
        .groupByKey()
        .count()
        .toStream()
        .to("out"));

    dsl("table-unread", builder -> builder.<String, String>table("rows").toStream().to("out"));

    dsl("table-stored", builder -> {
      KTable<String, String> table = builder.table("rows", as("stored"));
      table.filter((key, value) -> true).mapValues(value -> value).toStream().to("out");
      table.mapValues(value -> value, as("mapped")).filterNot((key, value) -> true).toStream().to("mapped-out");
      table.mapValues(value -> value, Materialized.with(Serdes.String(), Serdes.String())).toStream().to("unnamed-out");
    });

    dsl("stream-table-join", builder -> {
      KTable<String, String> table = builder.table("rows", Consumed.<String, String>as("people"));
      stream(builder, "a").join(table, (left, right) -> left + right).to("joined");
      stream(builder, "b").leftJoin(table.mapValues(value -> value), (left, right) -> left).to("left-joined");
    });

    dsl("stream-table-join-repartitioned", builder -> {
      KTable<String, Long> table = stream(builder, "t").groupByKey().count();
      KStream<String, String> rekeyed = stream(builder, "a").selectKey((key, value) -> value);
      rekeyed.join(table, (left, right) -> left).to("one");
      rekeyed.join(table, (left, right) -> left).to("two");
      rekeyed.leftJoin(table, (left, right) -> left, Joined.<String, String, Long>as("named")).to("three");
      rekeyed.map(KeyValue::pair).leftJoin(table.filter((key, value) -> value > 1), (left, right) -> left).to("four");
    });

    dsl("stores-shared", builder -> {
      builder.addStateStore(store("one")).addStateStore(store("two"));
      stream(builder, "a").process(DescribeTopologies::processor, "one").to("out-a");
      stream(builder, "b").process(DescribeTopologies::processor, "two");
      stream(builder, "c").process(DescribeTopologies::processor, "one", "two").to("out-c");
      stream(builder, "d").processValues(DescribeTopologies::fixedKeyProcessor).to("out-d");
    });

    DescribeJoins.addTo(DescribeTopologies::dsl);
    DescribeAggregates.addTo(DescribeTopologies::dsl);
    DescribeTables.addTo(DescribeTopologies::dsl);
    DescribePatterns.addTo(DescribeTopologies::dsl);
    DescribeDocumented.addTo(DescribeTopologies::dsl);
    DescribeOptimizations.addTo((name, define) -> {
      dsl(name, define);
      for (String rule : List.of(StreamsConfig.REUSE_KTABLE_SOURCE_TOPICS, StreamsConfig.MERGE_REPARTITION_TOPICS,
          StreamsConfig.SINGLE_STORE_SELF_JOIN)) {
        if (rule.startsWith(name.split("-")[0]) || rule.endsWith(name.replace("-", "."))) optimized(name + "-" + rule, rule, define);
      }
    });

    api("processor-api", topology -> topology
        .addSource("source-a", "topic-a")
        .addSource("source-b", "topic-b", "topic-c")
        .addProcessor("p1", DescribeTopologies::processor, "source-a")
        .addProcessor("p2", DescribeTopologies::processor, "source-a", "source-b")
        .addProcessor("p3", DescribeTopologies::processor, "source-b")
        .addSource("source-d", "topic-d")
        .addProcessor("p4", DescribeTopologies::processor, "source-d")
        .addStateStore(store("s1"), "p1", "p2")
        .addStateStore(store("s2"), "p3")
        .addStateStore(store("s3"), "p3")
        .connectProcessorAndStateStores("p1", "s2")
        .addSink("sink-1", "out-1", "p1", "p3")
        .addSink("sink-2", "out-2", "p4"));

    api("joined-by-a-late-store", topology -> topology
        .addSource("s0", "t0")
        .addProcessor("p0", DescribeTopologies::processor, "s0")
        .addSource("s1", "t1")
        .addProcessor("p1", DescribeTopologies::processor, "s1")
        .addSource("s2", "t2")
        .addProcessor("p2", DescribeTopologies::processor, "s2")
        .addStateStore(store("shared"), "p2", "p0"));

    // Wide and deep: the order of the description depends on hash tables and on a tree that is balanced while its order changes.
    for (int seed = 1; seed <= 40; seed++) {
      int first = seed;
      api("random-" + seed, topology -> random(topology, first));
    }
  }

  /** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
  private static final class Lcg {
    private long state;

    Lcg(int seed) {
      state = seed;
    }

    int next(int bound) {
      state = (state * 1103515245L + 12345L) & 0x7fffffffL;
      return (int) ((state >> 8) % bound);
    }
  }

  private static void random(Topology topology, int seed) {
    Lcg lcg = new Lcg(seed);
    int sources = 1 + lcg.next(4);
    java.util.ArrayList<String> parents = new java.util.ArrayList<>();
    java.util.ArrayList<String> processors = new java.util.ArrayList<>();
    for (int index = 0; index < sources; index++) {
      String[] topics = new String[1 + lcg.next(5)];
      for (int topic = 0; topic < topics.length; topic++) {
        topics[topic] = "topic-" + index + "-" + lcg.next(100000) + "-" + topic;
      }
      topology.addSource("source-" + index, topics);
      parents.add("source-" + index);
    }
    int nodes = 5 + lcg.next(40);
    for (int index = 0; index < nodes; index++) {
      java.util.LinkedHashSet<String> chosen = new java.util.LinkedHashSet<>();
      int count = 1 + lcg.next(3);
      for (int parent = 0; parent < count; parent++) {
        // A few nodes get most of the children.
        chosen.add(parents.get(lcg.next(2) == 0 ? lcg.next(Math.min(3, parents.size())) : lcg.next(parents.size())));
      }
      String name = "node-" + lcg.next(100000) + "-" + index;
      String[] above = chosen.toArray(new String[0]);
      if (lcg.next(5) == 0) {
        topology.addSink(name, "out-" + index, above);
      } else {
        topology.addProcessor(name, DescribeTopologies::processor, above);
        parents.add(name);
        processors.add(name);
      }
    }
    if (processors.isEmpty()) return;
    int stores = lcg.next(6);
    for (int index = 0; index < stores; index++) {
      java.util.LinkedHashSet<String> users = new java.util.LinkedHashSet<>();
      int count = 1 + lcg.next(3);
      for (int user = 0; user < count; user++) users.add(processors.get(lcg.next(processors.size())));
      topology.addStateStore(store("store-" + index), users.toArray(new String[0]));
    }
  }

  /** Repartition topics and changelogs, in the order of their names. */
  private static TreeSet<String> internalTopics(Topology topology) throws ReflectiveOperationException {
    Field field = Topology.class.getDeclaredField("internalTopologyBuilder");
    field.setAccessible(true);
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    InternalTopologyBuilder builder = (InternalTopologyBuilder) field.get(topology);
    builder.rewriteTopology(new StreamsConfig(properties));
    builder.buildTopology();
    TreeSet<String> topics = new TreeSet<>();
    builder.subtopologyToTopicsInfo().values().forEach(info -> {
      topics.addAll(info.repartitionSourceTopics.keySet());
      topics.addAll(info.stateChangelogTopics.keySet());
      info.sourceTopics.stream().filter(info.stateChangelogTopics::containsKey).forEach(topics::remove);
    });
    return topics;
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    for (Map.Entry<String, Supplier<Topology>> entry : TOPOLOGIES.entrySet()) {
      String name = entry.getKey() + ".txt";
      Files.writeString(folder.resolve(name), entry.getValue().get().describe().toString());
    }
    StringBuilder topics = new StringBuilder();
    for (Map.Entry<String, Supplier<Topology>> entry : TOPOLOGIES.entrySet()) {
      if (!entry.getKey().startsWith("random-")) topics.append(entry.getKey()).append(internalTopics(entry.getValue().get())).append('\n');
    }
    Files.writeString(folder.resolve("internal-topics.txt"), topics.toString());
    System.out.println(TOPOLOGIES.size() + " topologies described");
  }
}
