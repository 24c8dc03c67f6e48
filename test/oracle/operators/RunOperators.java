import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsConfig.InternalConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.internals.StreamTask;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs topologies in Kafka Streams' TopologyTestDriver on the same pseudo-random records as test/unit/process/operators/operators.test.ts, and
 * writes what comes out of `out`, a file each: once with every change forwarded, and once with a cache and a commit after every seventh record, in
 * `caching`. test/oracle/run.sh runs it.
 */
public final class RunOperators {
  private static final int RECORDS = 400;
  private static final int COMMIT_EVERY = 7;
  /** The wall clock: where it starts, and how far it goes with each record. */
  private static final long START_MS = 1_000_000;
  private static final int RECORD_MS = 300;
  /** Those without a store of a table are the same with a cache. */
  private static final List<String> WITHOUT_STORES = List.of("stream-steps", "merge", "table-unread", "stream-split");
  private static final Map<String, Consumer<StreamsBuilder>> TOPOLOGIES = new LinkedHashMap<>();

  /** How often closed windows are looked for at most: always, unless named here. */
  private static final Map<String, Long> EMIT_INTERVALS_MS = Map.of("window-close", 1000L, "session-close", 1000L);

  /** Timestamps are multiplied by this, 1 unless named here: to reach several segments of a store. */
  private static final Map<String, Integer> SCALES =
      Map.of(
          "window-segments", 6000, "sliding-segments", 6000, "session-segments", 6000,
          "window-close-segments", 6000, "sliding-close-segments", 6000, "session-close-segments", 6000);

  private static <K, V> Materialized<K, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static KStream<String, String> a(StreamsBuilder builder) {
    return builder.stream("a", Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static final Serde<Windowed<String>> TIME_WINDOWED = new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), 10);
  private static final Serde<Windowed<String>> SESSION_WINDOWED = new WindowedSerdes.SessionWindowedSerde<>(Serdes.String());
  private static final Serde<Windowed<String>> SLIDING_WINDOWED = new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), 5);

  private static <V> void show(KTable<Windowed<String>, V> table, String label) {
    table.toStream((key, value) -> key.key() + "@" + key.window().start() + "-" + key.window().end())
        .mapValues(value -> label + value)
        .to("out");
  }

  private static String append(String aggregate, String value) {
    return aggregate.length() > 12 ? null : aggregate + value;
  }

  /** What needs old values, and what keeps rows under windowed keys. */
  private static void showFiltered(KTable<Windowed<String>, String> table, Serde<Windowed<String>> serde) {
    show(table, "");
    show(table.filter((key, value) -> value.length() < 7), "short ");
    show(table.filter((key, value) -> value.length() < 8, RunOperators.<Windowed<String>, String>as("kept").withKeySerde(serde)), "kept ");
    show(table.mapValues(value -> value.length() > 9 ? null : value.length()), "length ");
  }

  static {
    TOPOLOGIES.put("window-count", builder -> show(
        a(builder).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(20), Duration.ofMillis(10))).count(), ""));

    TOPOLOGIES.put("window-hopping", builder -> show(
        a(builder).groupByKey()
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(25)).advanceBy(Duration.ofMillis(7)))
            .reduce(RunOperators::append), ""));

    TOPOLOGIES.put("window-aggregate", builder -> showFiltered(
        a(builder).groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ofMillis(15)).advanceBy(Duration.ofMillis(5)))
            .aggregate(() -> "i", (key, value, aggregate) -> append(aggregate, value)), TIME_WINDOWED));

    TOPOLOGIES.put("window-segments", builder -> show(
        a(builder).groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(90000), Duration.ofMillis(50000)).advanceBy(Duration.ofMillis(40000)))
            .reduce(RunOperators::append), ""));

    TOPOLOGIES.put("window-unlimited", builder ->
        a(builder).groupByKey().windowedBy(UnlimitedWindows.of().startOn(Instant.ofEpochMilli(1100))).count()
            .toStream((key, value) -> key.key() + "@" + key.window().start())
            .mapValues(String::valueOf)
            .to("out"));

    TOPOLOGIES.put("window-close", builder -> show(
        a(builder).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(20), Duration.ofMillis(10)))
            .emitStrategy(EmitStrategy.onWindowClose()).count(), ""));

    TOPOLOGIES.put("window-close-hopping", builder -> showFiltered(
        a(builder).groupByKey()
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(10)).advanceBy(Duration.ofMillis(4)))
            .emitStrategy(EmitStrategy.onWindowClose())
            .aggregate(() -> "i", (key, value, aggregate) -> append(aggregate, value)), TIME_WINDOWED));

    TOPOLOGIES.put("window-close-segments", builder -> show(
        a(builder).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(9000), Duration.ofMillis(5000)))
            .emitStrategy(EmitStrategy.onWindowClose()).reduce(RunOperators::append), ""));

    TOPOLOGIES.put("session-close", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(3), Duration.ofMillis(10)))
            .emitStrategy(EmitStrategy.onWindowClose()).count(), ""));

    TOPOLOGIES.put("session-close-segments", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(3000), Duration.ofMillis(30000)))
            .emitStrategy(EmitStrategy.onWindowClose()).count(), ""));

    TOPOLOGIES.put("sliding-close", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(12), Duration.ofMillis(10)))
            .emitStrategy(EmitStrategy.onWindowClose()).count(), ""));

    TOPOLOGIES.put("sliding-close-segments", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(20000), Duration.ofMillis(9000)))
            .emitStrategy(EmitStrategy.onWindowClose()).count(), ""));

    TOPOLOGIES.put("session-count", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(3), Duration.ofMillis(10)))
            .count(), ""));

    TOPOLOGIES.put("session-reduce", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMillis(2)))
            .reduce(RunOperators::append), ""));

    TOPOLOGIES.put("session-aggregate", builder -> showFiltered(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(1), Duration.ofMillis(20)))
            .aggregate(() -> "i", (key, value, aggregate) -> append(aggregate, value), (key, one, two) -> one + "+" + two), SESSION_WINDOWED));

    TOPOLOGIES.put("session-segments", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(15000), Duration.ofMillis(90000)))
            .count(), ""));

    TOPOLOGIES.put("sliding-count", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(12), Duration.ofMillis(10)))
            .count(), ""));

    TOPOLOGIES.put("sliding-reduce", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(6)))
            .reduce((aggregate, value) -> aggregate + value), ""));

    TOPOLOGIES.put("sliding-aggregate", builder -> showFiltered(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(5), Duration.ofMillis(30)))
            .aggregate(() -> "i", (key, value, aggregate) -> append(aggregate, value)), SLIDING_WINDOWED));

    TOPOLOGIES.put("sliding-early", builder -> show(
        a(builder).filter((key, value) -> key == null || !key.equals("k0")).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(1200), Duration.ofMillis(30)))
            .count(), ""));

    TOPOLOGIES.put("sliding-segments", builder -> show(
        a(builder).groupByKey()
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(50000), Duration.ofMillis(40000)))
            .count(), ""));

    TOPOLOGIES.put("stream-steps", builder -> a(builder)
        .filter((key, value) -> value != null)
        .map((key, value) -> KeyValue.pair(value, key))
        .filterNot((key, value) -> key.equals("v3"))
        .flatMapValues(value -> value == null ? List.of("none") : List.of(value, value + value))
        .selectKey((key, value) -> key + "-" + value)
        .flatMap((key, value) -> value.length() > 2 ? List.of() : List.of(KeyValue.pair(key, value), KeyValue.pair(value, key)))
        .mapValues((key, value) -> key + "/" + value)
        .peek((key, value) -> {})
        .to("out"));

    TOPOLOGIES.put("merge", builder -> a(builder).merge(builder.stream("b")).to("out"));

    TOPOLOGIES.put("count", builder -> a(builder).groupByKey().count().toStream().mapValues(String::valueOf).to("out"));

    TOPOLOGIES.put("count-filtered", builder -> {
      KTable<String, Long> counts = a(builder).groupByKey().count(Materialized.with(Serdes.String(), Serdes.Long()));
      counts.filter((key, value) -> value % 3 == 0).toStream().mapValues(String::valueOf).to("out");
      counts.filterNot((key, value) -> value < 5 || value > 9).toStream().mapValues(String::valueOf).to("out");
    });

    TOPOLOGIES.put("reduce", builder -> a(builder)
        .groupByKey()
        .reduce((aggregate, value) -> aggregate.length() > 8 ? null : aggregate + value)
        .toStream()
        .to("out"));

    TOPOLOGIES.put("aggregate", builder -> {
      KTable<String, String> table = a(builder)
          .groupByKey()
          .aggregate(() -> "i", (key, value, aggregate) -> aggregate.length() > 8 ? null : aggregate + value);
      table.toStream().to("out");
      table.filter((key, value) -> value.length() < 5).toStream().mapValues(value -> "short " + value).to("out");
      table.filter((key, value) -> value.length() < 6, as("kept")).toStream().mapValues(value -> "kept " + value).to("out");
      table.mapValues(value -> value.length() > 6 ? null : "<" + value + ">").filter((key, value) -> !value.contains("v1"))
          .toStream().to("out");
    });

    TOPOLOGIES.put("table-unread", builder -> {
      KTable<String, String> table = builder.table("a");
      table.filter((key, value) -> value.compareTo("v5") < 0).toStream().to("out");
      table.mapValues(value -> "m" + value).toStream().to("out");
    });

    TOPOLOGIES.put("table-stored", builder -> {
      KTable<String, String> table = builder.table("a", as("stored"));
      table.filter((key, value) -> value.compareTo("v5") < 0).toStream().to("out");
      table.filterNot((key, value) -> value.compareTo("v5") < 0, as("others")).toStream().mapValues(value -> "not " + value).to("out");
      table.mapValues(value -> value.equals("v7") ? null : "m" + value, as("mapped"))
          .filter((key, value) -> !value.equals("mv2")).toStream().to("out");
    });

    TOPOLOGIES.put("join", builder -> {
      KTable<String, String> table = builder.table("b");
      a(builder).join(table, (left, right) -> left + "+" + right).to("out");
      a(builder).join(table.filter((key, value) -> value.compareTo("v5") < 0), (left, right) -> left + "<" + right).to("out");
      table.toStream().mapValues(value -> "table " + value).to("out");
    });

    TOPOLOGIES.put("left-join", builder -> {
      KTable<String, String> table = builder.table("b");
      KTable<String, String> mapped = table.mapValues(value -> value.equals("v2") ? null : "m" + value);
      a(builder).leftJoin(table, (key, left, right) -> key + ":" + left + "+" + right).to("out");
      a(builder).leftJoin(mapped, (left, right) -> left + "~" + right).to("out");
    });

    TOPOLOGIES.put("join-aggregate", builder -> {
      KTable<String, Long> counts = builder.<String, String>stream("b").groupByKey().count();
      a(builder).join(counts, (left, right) -> left + "#" + right).to("out");
    });

    JoinTopologies.addTo(TOPOLOGIES);
    SuppressTopologies.addTo(TOPOLOGIES);
    CogroupTopologies.addTo(TOPOLOGIES);
  }

  /** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
  private static final class Lcg {
    private long state = 42;

    int next(int bound) {
      state = (state * 1103515245L + 12345L) & 0x7fffffffL;
      return (int) ((state >> 8) % bound);
    }
  }

  /**
   * Pipes records without the commit that the driver makes after each: the task is handed them directly. A commit is left to the driver,
   * which commits when the wall clock advances.
   */
  private static final class Uncommitted {
    private final TopologyTestDriver driver;
    private final StreamTask task;
    private long offset = 0;
    private long nowMs = START_MS;

    Uncommitted(TopologyTestDriver driver) throws ReflectiveOperationException {
      this.driver = driver;
      Field field = TopologyTestDriver.class.getDeclaredField("task");
      field.setAccessible(true);
      task = (StreamTask) field.get(driver);
    }

    void pipe(String topic, String key, String value, long timestamp) {
      StringSerializer serializer = new StringSerializer();
      byte[] keyBytes = serializer.serialize(topic, key);
      byte[] valueBytes = serializer.serialize(topic, value);
      task.addRecords(new TopicPartition(topic, 0), List.of(new ConsumerRecord<>(
          topic, 0, offset++, timestamp, TimestampType.CREATE_TIME, 0, 0, keyBytes, valueBytes, new RecordHeaders(),
          Optional.empty())));
      if (!task.process(nowMs)) throw new IllegalStateException("the task has not taken the record");
    }

    void commit() {
      driver.advanceWallClockTime(Duration.ofMillis(COMMIT_EVERY * RECORD_MS));
      nowMs += COMMIT_EVERY * RECORD_MS;
    }
  }

  private static String run(String name, Consumer<StreamsBuilder> define, boolean caching) throws ReflectiveOperationException {
    StreamsBuilder builder = new StreamsBuilder();
    define.accept(builder);
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "operators");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, caching ? 1 << 20 : 0);
    settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, -1);
    if (EMIT_INTERVALS_MS.containsKey(name)) {
      settings.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, EMIT_INTERVALS_MS.get(name));
    }
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/operators-" + System.nanoTime());
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    StringBuilder text = new StringBuilder();
    Lcg lcg = new Lcg();
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), settings, Instant.ofEpochMilli(START_MS))) {
      boolean hasB = driver.producedTopicNames() != null && builder.build().describe().toString().contains("[b]");
      TestOutputTopic<String, String> out =
          driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
      if (name.contains("throttled")) JoinTopologies.throttle(driver);
      Uncommitted uncommitted = new Uncommitted(driver);
      for (int index = 0; index < RECORDS; index++) {
        String topic = lcg.next(3) == 0 ? "b" : "a";
        String key = lcg.next(10) == 0 ? null : "k" + lcg.next(4);
        String value = lcg.next(8) == 0 ? null : "v" + lcg.next(10);
        long timestamp = (1000L + index + lcg.next(40)) * SCALES.getOrDefault(name, 1);
        boolean isRead = topic.equals("a") || hasB;
        if (isRead && caching) {
          uncommitted.pipe(topic, key, value, timestamp);
        } else if (isRead) {
          driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()).pipeInput(key, value, timestamp);
        }
        if (!caching) driver.advanceWallClockTime(Duration.ofMillis(RECORD_MS));
        boolean isLast = index == RECORDS - 1;
        if (caching && (isLast || index % COMMIT_EVERY == COMMIT_EVERY - 1)) uncommitted.commit();
        for (TestRecord<String, String> record : out.readRecordsToList()) {
          text.append(index).append(' ').append(record.key()).append(' ').append(record.value()).append(' ')
              .append(record.timestamp()).append('\n');
        }
      }
      if (name.matches("(window|session|sliding)-.*")) text.append("dropped ").append(dropped(driver)).append('\n');
    }
    return text.toString();
  }

  private static long dropped(TopologyTestDriver driver) {
    return driver.metrics().values().stream()
        .filter(metric -> metric.metricName().name().equals("dropped-records-total"))
        .mapToLong(metric -> ((Double) metric.metricValue()).longValue())
        .sum();
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    for (Map.Entry<String, Consumer<StreamsBuilder>> entry : TOPOLOGIES.entrySet()) {
      Files.writeString(folder.resolve(entry.getKey() + ".txt"), run(entry.getKey(), entry.getValue(), false));
      if (WITHOUT_STORES.contains(entry.getKey()) || entry.getKey().startsWith("stream-join")) continue;
      Files.writeString(folder.resolve("caching").resolve(entry.getKey() + ".txt"), run(entry.getKey(), entry.getValue(), true));
    }
    System.out.println(TOPOLOGIES.size() + " topologies run");
  }
}
