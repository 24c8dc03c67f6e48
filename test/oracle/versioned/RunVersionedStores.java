import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.VersionedKeyQuery;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Gives random commands to Kafka Streams' own versioned stores in its TopologyTestDriver, and writes for each a file with a line for each command:
 * the record's timestamp, the command, its answer, and the changelog record that it made (key and value in hexadecimal, timestamp).
 */
public final class RunVersionedStores {
  private static final int COMMANDS = 1_500;
  private static final long START = 1_700_000_000_000L;
  private static final String[] KEYS = {"a", "aa", "ab", "\u00e9"};

  /** A store, and how the times are that it is given: `grid` apart, mostly up to `past` behind a clock that goes by `step` each command. */
  private record Kind(String name, Duration history, Duration segmentInterval, long grid, long past, long step) {}

  private static final Kind[] KINDS = {
    new Kind("versioned", Duration.ofMinutes(2), null, 3_000, 120_000, 700),
    // Few times: the same is put again and again, and a key's versions lie in many segments.
    new Kind("versioned-short-segments", Duration.ofSeconds(60), Duration.ofSeconds(5), 1_000, 20_000, 300),
    new Kind("versioned-no-history", Duration.ZERO, null, 1_000, 3_000, 250),
    // It begins with 1970, where nothing is too old yet.
    new Kind("versioned-from-1970", Duration.ofSeconds(30), Duration.ofSeconds(10), 1_000, 30_000, 60),
  };

  private final Kind kind;
  private final Random random = new Random(11);

  private RunVersionedStores(Kind kind) {
    this.kind = kind;
  }

  private long time(long clock) {
    int choice = random.nextInt(12);
    long behind = choice == 0
        ? random.nextLong(kind.history().toMillis() * 2 + 2_000)
        : choice == 1 ? -random.nextLong(3 * kind.grid()) : random.nextLong(kind.past() + 1);
    long time = clock - behind;
    // Not 0: to a librdkafka producer that is the time of the call.
    return Math.max(1, choice < 2 ? time : time - time % kind.grid());
  }

  private String command(long clock) {
    String key = KEYS[random.nextInt(KEYS.length)];
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3:
        return "put " + key + " " + time(clock) + " v" + random.nextInt(100);
      case 4:
        return "put " + key + " " + time(clock) + " -";
      case 5:
        return "delete " + key + " " + time(clock);
      case 6, 7:
        return "get " + key;
      default:
        return "getAsOf " + key + " " + time(clock);
    }
  }

  private static String shown(VersionedRecord<String> record) {
    if (record == null) return "null";
    return record.value() + "@" + record.timestamp() + "-" + record.validTo().map(String::valueOf).orElse("");
  }

  /** The store's `get` does not tell until when a version is valid; a query does. */
  private static String found(VersionedKeyValueStore<String, String> store, String key, Long asOf) {
    VersionedRecord<String> got = asOf == null ? store.get(key) : store.get(key, asOf);
    VersionedKeyQuery<String, String> query = VersionedKeyQuery.withKey(key);
    VersionedRecord<String> queried = store
        .query(asOf == null ? query : query.asOf(Instant.ofEpochMilli(asOf)), PositionBound.unbounded(), new QueryConfig(false))
        .getResult();
    if (!Objects.equals(got == null ? null : got.value(), queried == null ? null : queried.value())
        || (got != null && got.timestamp() != queried.timestamp())) {
      throw new IllegalStateException("get finds " + shown(got) + ", a query " + shown(queried));
    }
    return shown(queried);
  }

  private static String answer(VersionedKeyValueStore<String, String> store, String[] words) {
    switch (words[0]) {
      case "put":
        return Long.toString(store.put(words[1], words[3].equals("-") ? null : words[3], Long.parseLong(words[2])));
      case "delete":
        VersionedRecord<String> deleted = store.delete(words[1], Long.parseLong(words[2]));
        return deleted == null ? "null" : deleted.value() + "@" + deleted.timestamp();
      case "get":
        return found(store, words[1], null);
      case "getAsOf":
        return found(store, words[1], Long.parseLong(words[2]));
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  /** Runs each record's value as a command, and forwards the answer. */
  private static final class Commands implements Processor<String, String, String, String> {
    private ProcessorContext<String, String> context;

    @Override
    public void init(ProcessorContext<String, String> context) {
      this.context = context;
    }

    @Override
    public void process(Record<String, String> record) {
      context.forward(record.withValue(answer(context.getStateStore("store"), record.value().split(" "))));
    }
  }

  private static String hexadecimal(byte[] bytes) {
    return bytes == null ? "null" : HexFormat.of().formatHex(bytes);
  }

  private String run() {
    Topology topology = new Topology()
        .addSource("source", new StringDeserializer(), new StringDeserializer(), "commands")
        .addProcessor("commands", Commands::new, "source")
        .addStateStore(
            Stores.versionedKeyValueStoreBuilder(
                    kind.segmentInterval() == null
                        ? Stores.persistentVersionedKeyValueStore("store", kind.history())
                        : Stores.persistentVersionedKeyValueStore("store", kind.history(), kind.segmentInterval()),
                    Serdes.String(), Serdes.String())
                .withLoggingEnabled(Map.of()),
            "commands")
        .addSink("sink", "answers", new StringSerializer(), new StringSerializer(), "commands");
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "stores");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    StringBuilder text = new StringBuilder();
    try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings)) {
      TestInputTopic<String, String> commands = driver.createInputTopic("commands", new StringSerializer(), new StringSerializer());
      TestOutputTopic<String, String> answers = driver.createOutputTopic("answers", new StringDeserializer(), new StringDeserializer());
      TestOutputTopic<byte[], byte[]> changelog =
          driver.createOutputTopic("stores-store-changelog", new ByteArrayDeserializer(), new ByteArrayDeserializer());
      long start = kind.name().endsWith("from-1970") ? 0 : START;
      for (int index = 0; index < COMMANDS; index++) {
        long clock = start + index * kind.step();
        String command = command(clock);
        commands.pipeInput("k", command, clock);
        text.append(clock).append('\t').append(command).append('\t').append(answers.readValue()).append('\t');
        for (TestRecord<byte[], byte[]> record : changelog.readRecordsToList()) {
          text.append(hexadecimal(record.key())).append(' ').append(hexadecimal(record.value())).append(' ').append(record.timestamp());
        }
        text.append('\n');
      }
    }
    return text.toString();
  }

  public static void main(String[] arguments) throws Exception {
    for (Kind kind : KINDS) {
      Files.writeString(Path.of(arguments[0]).resolve(kind.name() + ".txt"), new RunVersionedStores(kind).run());
    }
    System.out.println(KINDS.length + " stores run");
  }
}
