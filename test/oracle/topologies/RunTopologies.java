import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.ValueTimestampHeaders;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs topologies in Kafka Streams' TopologyTestDriver. Each line of the input is one (test/oracle/topologies/description.ts says how), each line of
 * the output what it put out, record by record, and what its stores held in the end; or why it could not be built.
 *
 * An operator is an entry of OPERATORS; the same one is in operators.ts.
 */
public final class RunTopologies extends Functions {
  /** The end of a window without one, in Weir; a larger number here. */
  private static final long MAX_SAFE_INTEGER = (1L << 53) - 1;

  private static final Map<String, Operator> OPERATORS = new HashMap<>();

  static {
    OPERATORS.put("stream", s -> s.builder().stream(s.text("topic"), Consumed.with(Serdes.String(), s.serde())));
    OPERATORS.put("table", s -> s.store().equals("none")
        ? s.builder().table(s.text("topic"), Consumed.with(Serdes.String(), s.serde()))
        : s.builder().table(s.text("topic"), Consumed.with(Serdes.String(), s.serde()), s.materialized()));
    OPERATORS.put("filter", s -> s.a().stream().filter((k, v) -> keeps(s.n(), k, v)));
    OPERATORS.put("filterNot", s -> s.a().stream().filterNot((k, v) -> keeps(s.n(), k, v)));
    OPERATORS.put("map", s -> s.a().stream().map((k, v) -> KeyValue.pair(newKey(s.n(), k, v), newValue(s.n(), v))));
    OPERATORS.put("mapValues", s -> s.a().stream().mapValues((k, v) -> newValue(s.n(), v)));
    OPERATORS.put("flatMap", s -> s.a().stream().flatMap((k, v) -> {
      List<KeyValue<String, Object>> records = new ArrayList<>();
      for (String value : several(s.n(), v)) records.add(KeyValue.pair(newKey(s.n(), k, value), value));
      return records;
    }));
    OPERATORS.put("flatMapValues", s -> s.a().stream().flatMapValues(v -> several(s.n(), v)));
    OPERATORS.put("selectKey", s -> s.a().stream().selectKey((k, v) -> newKey(s.n(), k, v)));
    OPERATORS.put("peek", s -> s.a().stream().peek((k, v) -> {}));
    OPERATORS.put("merge", s -> s.a().stream().merge(s.b().stream()));
    OPERATORS.put("repartition", s -> s.a().stream().repartition(Repartitioned.with(Serdes.String(), s.a().serde())));
    OPERATORS.put("groupByKey", s -> s.a().stream().groupByKey(Grouped.with(Serdes.String(), s.a().serde())));
    OPERATORS.put("groupBy",
        s -> s.a().stream().groupBy((k, v) -> newKey(s.n(), k, v), Grouped.with(Serdes.String(), s.a().serde())));
    OPERATORS.put("count", s -> s.store().equals("none") ? s.a().grouped().count() : s.a().grouped().count(longs(s)));
    OPERATORS.put("reduce", s -> s.store().equals("none")
        ? s.a().grouped().reduce((aggregate, v) -> combine(s.n(), aggregate, v))
        : s.a().grouped().reduce((aggregate, v) -> combine(s.n(), aggregate, v), s.materialized()));
    OPERATORS.put("aggregate", s -> s.a().grouped().aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)), s.materialized()));
    OPERATORS.put("toStream", s -> s.a().table().toStream());
    OPERATORS.put("filterTable", s -> s.store().equals("none")
        ? s.a().table().filter((k, v) -> keeps(s.n(), k, v))
        : s.a().table().filter((k, v) -> keeps(s.n(), k, v), s.materialized()));
    OPERATORS.put("filterNotTable", s -> s.store().equals("none")
        ? s.a().table().filterNot((k, v) -> keeps(s.n(), k, v))
        : s.a().table().filterNot((k, v) -> keeps(s.n(), k, v), s.materialized()));
    OPERATORS.put("mapValuesTable", s -> s.store().equals("none")
        ? s.a().table().mapValues((k, v) -> newValue(s.n(), v))
        : s.a().table().mapValues((k, v) -> newValue(s.n(), v), s.materialized()));
    OPERATORS.put("joinTable", s -> s.a().stream().join(s.b().table(), (k, left, right) -> joined(s.n(), left, right, k),
        Joined.with(Serdes.String(), s.a().serde(), null)));
    OPERATORS.put("leftJoinTable",
        s -> s.a().stream().leftJoin(s.b().table(), (k, left, right) -> joined(s.n(), left, right, k),
            Joined.with(Serdes.String(), s.a().serde(), null)));
    OPERATORS.put("windowCount", s -> told(s.store().equals("none")
        ? windowed(s).count() : windowed(s).count(counts(s.windows()))));
    OPERATORS.put("windowReduce", s -> told(s.store().equals("none")
        ? windowed(s).reduce(reducer(s)) : windowed(s).reduce(reducer(s), s.windows())));
    OPERATORS.put("windowAggregate", s -> told(windowed(s).aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)), s.windows())));
    OPERATORS.put("unlimitedCount", s -> told(s.store().equals("none")
        ? unlimited(s).count() : unlimited(s).count(counts(s.windows()))));
    OPERATORS.put("unlimitedReduce", s -> told(s.store().equals("none")
        ? unlimited(s).reduce(reducer(s)) : unlimited(s).reduce(reducer(s), s.windows())));
    OPERATORS.put("unlimitedAggregate", s -> told(unlimited(s).aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)), s.windows())));
    OPERATORS.put("slidingCount", s -> told(s.store().equals("none")
        ? sliding(s).count() : sliding(s).count(counts(s.windows()))));
    OPERATORS.put("slidingReduce", s -> told(s.store().equals("none")
        ? sliding(s).reduce(reducer(s)) : sliding(s).reduce(reducer(s), s.windows())));
    OPERATORS.put("slidingAggregate", s -> told(sliding(s).aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)), s.windows())));
    OPERATORS.put("sessionCount", s -> told(s.store().equals("none")
        ? sessions(s).count() : sessions(s).count(counts(s.sessions()))));
    OPERATORS.put("sessionReduce", s -> told(s.store().equals("none")
        ? sessions(s).reduce(reducer(s)) : sessions(s).reduce(reducer(s), s.sessions())));
    OPERATORS.put("sessionAggregate", s -> told(sessions(s).aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)),
        (k, one, other) -> combine(s.n(), one, shown(other)), s.sessions())));
    OPERATORS.put("joinStream", s -> s.a().stream().join(s.b().stream(),
        (k, left, right) -> joined(s.n(), left, right, k), joinWindows(s), streamJoined(s)));
    OPERATORS.put("joinTables", s -> s.store().equals("none")
        ? s.a().table().join(s.b().table(), joiner(s))
        : s.a().table().join(s.b().table(), joiner(s), s.materialized()));
    OPERATORS.put("leftJoinStream", s -> s.a().stream().leftJoin(s.b().stream(),
        (k, left, right) -> joined(s.n(), left, right, k), joinWindows(s), streamJoined(s)));
    OPERATORS.put("leftJoinTables", s -> s.store().equals("none")
        ? s.a().table().leftJoin(s.b().table(), joiner(s))
        : s.a().table().leftJoin(s.b().table(), joiner(s), s.materialized()));
    OPERATORS.put("outerJoinStream", s -> s.a().stream().outerJoin(s.b().stream(),
        (k, left, right) -> joined(s.n(), left, right, k), joinWindows(s), streamJoined(s)));
    OPERATORS.put("outerJoinTables", s -> s.store().equals("none")
        ? s.a().table().outerJoin(s.b().table(), joiner(s))
        : s.a().table().outerJoin(s.b().table(), joiner(s), s.materialized()));
    OPERATORS.put("split", RunTopologies::split);
    OPERATORS.put("toChosen", s -> {
      s.a().stream().to((k, v, context) -> {
        String chosen = newKey(s.n(), k, v);
        return "chosen-" + (chosen == null ? "k2" : chosen).charAt(1) % 3;
      }, Produced.with(Serdes.String(), s.a().serde()));
      return null;
    });
    OPERATORS.put("toTable", s -> s.a().stream().toTable(s.materialized()));
    OPERATORS.put("transformValuesTable", s -> {
      if (s.store().equals("none")) return s.a().table().transformValues(() -> new Transforming(null, s.n()));
      if (s.store().equals("with")) {
        return s.a().table().transformValues(() -> new Transforming(null, s.n()), s.materialized());
      }
      String name = addPlainStore(s, "-seen");
      return s.a().table().transformValues(() -> new Transforming(name, s.n()), s.materialized(), name);
    });
    addTableOperators();
    addCogroupOperators();
    TableJoinOperators.addTo(OPERATORS);
    OPERATORS.put("process", s -> {
      String name = addPlainStore(s, "");
      return s.a().stream().process(() -> new Remembering(name, s.n()), name);
    });
    OPERATORS.put("processValues", s -> {
      String name = addPlainStore(s, "");
      return s.a().stream().processValues(() -> new RememberingValues(name, s.n()), name);
    });
    OPERATORS.put("to", s -> {
      s.a().stream().to(s.text("topic"), Produced.with(Serdes.String(), s.a().serde()));
      return null;
    });
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> longs(Step step) {
    return (Materialized) step.materialized();
  }

  // Tables by another key: as in table-operators.ts.

  private static void addTableOperators() {
    OPERATORS.put("suppress", s -> s.a().table().suppress(held(s)));
    OPERATORS.put("windowSuppress", s -> told((s.store().equals("none")
        ? windowed(s).count() : windowed(s).count(counts(s.windows()))).suppress(untilClosed())));
    OPERATORS.put("slidingSuppress", s -> told(sliding(s).aggregate(() -> "i" + s.n(),
        (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)), s.windows()).suppress(untilClosed())));
    OPERATORS.put("sessionSuppress", s -> told((s.store().equals("none")
        ? sessions(s).count() : sessions(s).count(counts(s.sessions()))).suppress(untilClosed())));
    OPERATORS.put("countRows", s -> s.store().equals("none") ? groupedRows(s).count() : groupedRows(s).count(longs(s)));
    OPERATORS.put("reduceRows", s -> s.store().equals("none")
        ? groupedRows(s).reduce((aggregate, v) -> combine(s.n(), aggregate, v), (aggregate, v) -> taken(s.n(), aggregate, v))
        : groupedRows(s).reduce(
            (aggregate, v) -> combine(s.n(), aggregate, v), (aggregate, v) -> taken(s.n(), aggregate, v), s.materialized()));
    OPERATORS.put("aggregateRows", s -> {
      KGroupedTable<String, Object> groups = groupedRows(s);
      if (s.n() % 3 == 2) groups.count();
      return s.n() == 6
          ? groups.aggregate(() -> "i" + s.n(), (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)),
              (k, v, aggregate) -> taken(s.n(), aggregate, shown(v)), Named.as("named-" + s.text("storeName")), s.materialized())
          : groups.aggregate(() -> "i" + s.n(), (k, v, aggregate) -> combine(s.n(), aggregate, shown(v)),
              (k, v, aggregate) -> taken(s.n(), aggregate, shown(v)), s.materialized());
    });
  }

  private static KGroupedTable<String, Object> groupedRows(Step s) {
    return s.a().table().groupBy(
        (k, v) -> KeyValue.pair(newKey(s.n(), s.n() % 2 == 0 ? k : "", v), s.n() == 3 && shown(v).endsWith("2") ? null : v),
        s.n() > 4
            ? Grouped.with("group-" + s.text("storeName"), Serdes.String(), s.a().serde())
            : Grouped.with(Serdes.String(), s.a().serde()));
  }

  private static Suppressed<String> held(Step step) {
    Suppressed<String> held = switch (step.n() % 4) {
      case 0 -> Suppressed.untilTimeLimit(Duration.ofMillis(30), BufferConfig.unbounded());
      case 1 -> Suppressed.untilTimeLimit(Duration.ofMillis(200), BufferConfig.maxRecords(2));
      case 2 -> Suppressed.untilTimeLimit(Duration.ofMillis(200), BufferConfig.maxBytes(120));
      default -> Suppressed.untilTimeLimit(Duration.ofMillis(100), BufferConfig.maxRecords(3).withMaxBytes(300));
    };
    return step.n() > 4 ? held.withName("hold-" + step.text("storeName")) : held;
  }

  private static Suppressed<Windowed<?>> untilClosed() {
    return Suppressed.untilWindowCloses(BufferConfig.unbounded());
  }

  private static Object taken(int n, Object aggregate, Object value) {
    return aggregate instanceof Long number ? (Object) (number - (Long) value) : combine(n + 1, aggregate, "-" + value);
  }

  // Two streams in one table: as in cogroup-operators.ts.

  private static void addCogroupOperators() {
    OPERATORS.put("cogroup", s -> s.n() == 4
        ? cogrouped(s).aggregate(() -> "i" + s.n(), cogroupName(s), s.materialized())
        : cogrouped(s).aggregate(() -> "i" + s.n(), s.materialized()));
    OPERATORS.put("windowCogroup", s -> told(s.n() == 4
        ? cogrouped(s).windowedBy(timeWindows(s)).aggregate(() -> "i" + s.n(), cogroupName(s), s.windows())
        : cogrouped(s).windowedBy(timeWindows(s)).aggregate(() -> "i" + s.n(), s.windows())));
    OPERATORS.put("slidingCogroup", s -> told(s.n() == 4
        ? cogrouped(s).windowedBy(slidingWindows(s)).aggregate(() -> "i" + s.n(), cogroupName(s), s.windows())
        : cogrouped(s).windowedBy(slidingWindows(s)).aggregate(() -> "i" + s.n(), s.windows())));
    OPERATORS.put("sessionCogroup", s -> {
      Merger<String, Object> merger = (k, one, two) -> combine(s.n(), one, shown(two));
      return told(s.n() == 4
          ? cogrouped(s).windowedBy(sessionWindows(s)).aggregate(() -> "i" + s.n(), merger, cogroupName(s), s.sessions())
          : cogrouped(s).windowedBy(sessionWindows(s)).aggregate(() -> "i" + s.n(), merger, s.sessions()));
    });
  }

  private static CogroupedKStream<String, Object> cogrouped(Step s) {
    return s.a().grouped()
        .<Object>cogroup((k, v, aggregate) -> combine(s.n(), aggregate, shown(v)))
        .cogroup(s.b().grouped(), (k, v, aggregate) -> combine(s.n() + 1, aggregate, shown(v) + "."));
  }

  private static Named cogroupName(Step step) {
    return Named.as("cogroup-" + step.text("storeName"));
  }

  // Windows: as in window-operators.ts.

  private static TimeWindows timeWindows(Step step) {
    return switch (step.n() % 3) {
      case 0 -> TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(50));
      case 1 -> TimeWindows.ofSizeAndGrace(Duration.ofMillis(60), Duration.ofMillis(30)).advanceBy(Duration.ofMillis(20));
      default -> TimeWindows.ofSizeAndGrace(Duration.ofMillis(100), Duration.ofMillis(1000)).advanceBy(Duration.ofMillis(70));
    };
  }

  private static TimeWindowedKStream<String, Object> windowed(Step step) {
    return step.a().grouped().windowedBy(timeWindows(step)).emitStrategy(strategy(step));
  }

  private static TimeWindowedKStream<String, Object> unlimited(Step step) {
    return step.a().grouped().windowedBy(UnlimitedWindows.of().startOn(Instant.ofEpochMilli(step.n() * 10L)));
  }

  private static SlidingWindows slidingWindows(Step step) {
    Duration difference = Duration.ofMillis(new int[] {20, 50, 10}[step.n() % 3]);
    return SlidingWindows.ofTimeDifferenceAndGrace(difference, grace(step));
  }

  private static TimeWindowedKStream<String, Object> sliding(Step step) {
    return step.a().grouped().windowedBy(slidingWindows(step)).emitStrategy(strategy(step));
  }

  private static SessionWindows sessionWindows(Step step) {
    Duration gap = Duration.ofMillis(new int[] {10, 30, 60}[step.n() % 3]);
    return SessionWindows.ofInactivityGapAndGrace(gap, grace(step));
  }

  private static SessionWindowedKStream<String, Object> sessions(Step step) {
    return step.a().grouped().windowedBy(sessionWindows(step)).emitStrategy(strategy(step));
  }

  private static Duration grace(Step step) {
    return Duration.ofMillis(new int[] {0, 40, 1000}[step.n() % 3]);
  }

  private static EmitStrategy strategy(Step step) {
    return step.n() > 4 ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
  }

  private static Reducer<Object> reducer(Step step) {
    return (aggregate, v) -> combine(step.n(), aggregate, v == null && aggregate instanceof Long ? (Object) 1L : v);
  }

  /** The changes of a windowed table, under keys of text. */
  @SuppressWarnings("unchecked")
  private static Object told(KTable<Windowed<String>, ?> table) {
    return ((KTable<Windowed<String>, Object>) table).toStream()
        .selectKey((k, v) -> shownWindow(k));
  }

  private static String shownWindow(Windowed<?> windowed) {
    long end = windowed.window().end();
    return shown(windowed.key()) + "@" + windowed.window().start() + "-" + (end >= MAX_SAFE_INTEGER ? "end" : end);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static <S extends StateStore> Materialized<String, Long, S> counts(Materialized<String, Object, S> rows) {
    return (Materialized) rows;
  }

  // Joins: as in join-operators.ts.

  private static JoinWindows joinWindows(Step step) {
    return switch (step.n() % 3) {
      case 0 -> JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(20));
      case 1 -> JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(50), Duration.ofMillis(40));
      default -> JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(60), Duration.ofMillis(1000)).after(Duration.ZERO);
    };
  }

  private static StreamJoined<String, Object, Object> streamJoined(Step step) {
    StreamJoined<String, Object, Object> joined =
        StreamJoined.with(Serdes.String(), step.a().serde(), step.b().serde());
    if (step.n() % 3 == 2) joined = joined.withDslStoreSuppliers(BuiltInDslStoreSuppliers.IN_MEMORY);
    if (step.n() <= 4) return joined;
    return joined.withName("join-" + step.text("storeName")).withStoreName(step.text("storeName"));
  }

  private static ValueJoiner<Object, Object, Object> joiner(Step step) {
    return (left, right) -> joined(step.n(), left, right, "t");
  }

  /** As in routing-operators.ts. */
  private static Object split(Step step) {
    int n = step.n();
    BranchedKStream<String, Object> branches = step.a().stream().split(Named.as("split-" + step.text("storeName")))
        .branch((k, v) -> keeps(n, k, v))
        .branch((k, v) -> keeps(n + 1, k, v), Branched.as("second"));
    Map<String, KStream<String, Object>> streams = n > 4 ? branches.noDefaultBranch() : branches.defaultBranch();
    String prefix = "split-" + step.text("storeName");
    KStream<String, Object> both = streams.get(prefix + "1").mapValues(v -> (Object) newValue(n, v))
        .merge(streams.get(prefix + "second").mapValues(v -> (Object) newValue(n, v)));
    KStream<String, Object> rest = streams.get(prefix + "0");
    return rest == null ? both : both.merge(rest.mapValues(v -> (Object) newValue(n + 1, v)));
  }

  private static String addPlainStore(Step step, String ending) {
    String name = step.text("storeName") + ending;
    step.builder().addStateStore(Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore(name), Serdes.String(), Serdes.String()));
    return name;
  }

  /** What the next value of a key is, and what the store has of it then. */
  private static String remember(KeyValueStore<String, String> store, int n, String key, Object value) {
    String before = store.get(key);
    String after = (String) combine(n, before == null ? "new" : before, shown(value));
    store.put(key, after);
    return shown(before) + ">" + shown(after);
  }

  /** Keeps a text for each key, and tells all of them when stream time or the wall clock has moved on. The same one is in processors.ts. */
  private static final class Remembering implements Processor<String, Object, String, Object> {
    private final String name;
    private final int n;
    private ProcessorContext<String, Object> context;
    private KeyValueStore<String, String> store;

    Remembering(String name, int n) {
      this.name = name;
      this.n = n;
    }

    @Override
    public void init(ProcessorContext<String, Object> context) {
      this.context = context;
      store = context.getStateStore(name);
      context.schedule(Duration.ofMillis(50L * (n + 1)), PunctuationType.STREAM_TIME, time -> tell("s", time));
      context.schedule(Duration.ofMillis(300), PunctuationType.WALL_CLOCK_TIME, time -> tell("w", time));
    }

    private void tell(String kind, long timestamp) {
      try (KeyValueIterator<String, String> rows = store.all()) {
        rows.forEachRemaining(row -> context.forward(new Record<>(row.key, (Object) (kind + row.value), timestamp)));
      }
    }

    @Override
    public void process(Record<String, Object> record) {
      if (record.key() == null) context.forward(record.withKey("no key"));
      else context.forward(record.withValue(remember(store, n, record.key(), record.value())));
    }
  }

  /** As Remembering, for values alone and without a clock. */
  private static final class RememberingValues implements FixedKeyProcessor<String, Object, Object> {
    private final String name;
    private final int n;
    private FixedKeyProcessorContext<String, Object> context;

    RememberingValues(String name, int n) {
      this.name = name;
      this.n = n;
    }

    @Override
    public void init(FixedKeyProcessorContext<String, Object> context) {
      this.context = context;
    }

    @Override
    public void process(FixedKeyRecord<String, Object> record) {
      KeyValueStore<String, String> store = context.getStateStore(name);
      context.forward(record.withValue(
          record.key() == null ? "no key" : remember(store, n, record.key(), record.value())));
    }
  }

  /** As transformer in processors.ts. */
  private static final class Transforming implements ValueTransformerWithKey<String, Object, Object> {
    private final String name;
    private final int n;
    private KeyValueStore<String, String> seen;

    Transforming(String name, int n) {
      this.name = name;
      this.n = n;
    }

    @Override
    public void init(org.apache.kafka.streams.processor.ProcessorContext context) {
      if (name != null) seen = context.getStateStore(name);
    }

    @Override
    public Object transform(String key, Object value) {
      if (seen == null) return newValue(n, value);
      return value == null ? null : remember(seen, n, key, value);
    }

    @Override
    public void close() {}
  }

  // Building and running.

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HexFormat HEX = HexFormat.of();

  private static StreamsBuilder build(JsonNode description) {
    // A processor may change keys and values: a repartition topic below it does not move above it. Kafka Streams has to be told.
    Properties settings = settings(description, Path.of("unused"));
    settings.put(TopologyConfig.InternalConfig.ENABLE_PROCESS_PROCESSVALUE_FIX, true);
    StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(settings)));
    List<Node> nodes = new ArrayList<>();
    for (JsonNode json : description.get("steps")) {
      List<Node> in = new ArrayList<>();
      for (JsonNode index : json.get("in")) in.add(nodes.get(index.asInt()));
      Operator operator = OPERATORS.get(json.get("op").asText());
      if (operator == null) throw new IllegalArgumentException("no operator " + json.get("op"));
      nodes.add(new Node(operator.build(new Step(json, in, builder)), json.get("type").asText()));
    }
    return builder;
  }

  private static Properties settings(JsonNode description, Path stateDir) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, description.get("caching").asBoolean() ? 10 << 20 : 0);
    settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, -1);
    settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG,
        description.get("optimized").asBoolean() ? StreamsConfig.OPTIMIZE : StreamsConfig.NO_OPTIMIZATION);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    return settings;
  }

  private static ObjectNode run(JsonNode description, Path stateDir) {
    ObjectNode result = JSON.createObjectNode();
    Topology topology;
    try {
      topology = build(description).build(settings(description, stateDir));
    } catch (RuntimeException error) {
      return result.put("refused", String.valueOf(error.getMessage()));
    }
    try (TopologyTestDriver driver = new TopologyTestDriver(
        topology, settings(description, stateDir), Instant.ofEpochMilli(description.get("startMs").asLong()))) {
      ArrayNode rounds = result.putArray("rounds");
      Map<String, TestOutputTopic<byte[], byte[]>> outputs = new TreeMap<>();
      for (JsonNode event : description.get("events")) {
        feed(driver, event);
        ObjectNode round = rounds.addObject();
        for (String topic : driver.producedTopicNames()) {
          outputs.computeIfAbsent(topic,
              name -> driver.createOutputTopic(name, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
        }
        outputs.forEach((topic, output) -> {
          List<TestRecord<byte[], byte[]>> records = output.readRecordsToList();
          if (records.isEmpty()) return;
          ArrayNode rows = round.putArray(topic);
          for (TestRecord<byte[], byte[]> record : records) {
            ArrayNode row = rows.addArray();
            row.add(hex(record.key())).add(hex(record.value())).add(record.timestamp());
            ArrayNode headers = row.addArray();
            for (Header header : record.headers()) headers.add(header.key() + "=" + hex(header.value()));
          }
        });
      }
      ObjectNode stores = result.putObject("stores");
      boolean caching = description.get("caching").asBoolean();
      new TreeMap<>(driver.getAllStateStores()).forEach((name, store) -> addRows(stores.putArray(name), store, caching));
    }
    return result;
  }

  private static void feed(TopologyTestDriver driver, JsonNode event) {
    if (event.has("advanceMs")) {
      driver.advanceWallClockTime(Duration.ofMillis(event.get("advanceMs").asLong()));
      return;
    }
    RecordHeaders headers = new RecordHeaders();
    for (JsonNode header : event.get("headers")) {
      headers.add(header.get(0).asText(), header.get(1).isNull() ? null : header.get(1).asText().getBytes(StandardCharsets.UTF_8));
    }
    driver.createInputTopic(event.get("topic").asText(), new StringSerializer(), new StringSerializer()).pipeInput(
        new TestRecord<>(textOf(event.get("key")), textOf(event.get("value")), headers, event.get("timestamp").asLong()));
  }

  /** With a cache Kafka Streams shows windows that have expired for as long as they are cached: then windows are left out. */
  @SuppressWarnings("unchecked")
  private static void addRows(ArrayNode rows, StateStore store, boolean caching) {
    if (store instanceof ReadOnlyKeyValueStore) {
      try (KeyValueIterator<Object, Object> all = ((ReadOnlyKeyValueStore<Object, Object>) store).all()) {
        all.forEachRemaining(row -> addRow(rows, row.key, row.value));
      }
    } else if (caching) {
      return;
    } else if (store instanceof WindowStore) {
      try (KeyValueIterator<Windowed<Object>, Object> all = ((WindowStore<Object, Object>) store).all()) {
        all.forEachRemaining(row -> addRow(rows, row.key, row.value));
      }
    } else if (store instanceof SessionStore) {
      try (KeyValueIterator<Windowed<Object>, Object> all = ((SessionStore<Object, Object>) store).fetch(null, null)) {
        all.forEachRemaining(row -> addRow(rows, row.key, row.value));
      }
    }
  }

  private static void addRow(ArrayNode rows, Object key, Object value) {
    if (!(key instanceof String) && !(key instanceof Windowed)) return;
    ArrayNode row = rows.addArray();
    if (key instanceof Windowed<?> windowed) {
      row.add(shownWindow(windowed));
    } else {
      row.add(shown(key));
    }
    if (value instanceof ValueAndTimestamp<?> stamped) {
      row.add(shown(stamped.value())).add(stamped.timestamp());
    } else if (value instanceof ValueTimestampHeaders<?> stamped) {
      row.add(shown(stamped.value()));
      if (stamped.timestamp() >= 0) row.add(stamped.timestamp());
    } else {
      row.add(shown(value));
    }
  }

  private static String textOf(JsonNode text) {
    return text.isNull() ? null : text.asText();
  }

  private static String hex(byte[] bytes) {
    return bytes == null ? null : HEX.formatHex(bytes);
  }

  /** @param arguments a folder for state */
  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createDirectories(Path.of(arguments[0]));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int count = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode result;
      try {
        result = run(JSON.readTree(line), folder.resolve(String.valueOf(count++)));
      } catch (RuntimeException error) {
        Throwable cause = error;
        while (cause.getCause() != null) cause = cause.getCause();
        result = JSON.createObjectNode().put("failed", error + " <- " + cause);
      }
      out.println(JSON.writeValueAsString(result));
      out.flush();
    }
  }
}
