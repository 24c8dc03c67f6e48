import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.function.Function;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Gives random commands to Kafka Streams' own stores in its TopologyTestDriver, and writes for each kind of store a file with a line for each
 * command: the record's timestamp, the command, its answer, and the changelog record that it made (key and value in hexadecimal, timestamp).
 */
public final class RunStores {
  private static final int COMMANDS = 600;
  private static final long START = 1_700_000_000_000L;
  private static final Duration RETENTION = Duration.ofMinutes(2);
  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final String[] KEYS = {"a", "aa", "ab", "b", "ba", "c\u00e9"};

  private static final Random random = new Random(7);

  private static String key() {
    return KEYS[random.nextInt(KEYS.length)];
  }

  private static String bound() {
    return random.nextInt(4) == 0 ? "-" : key();
  }

  /** Most within the retention, some expired, some ahead. */
  private static long time(long clock) {
    int kind = random.nextInt(10);
    if (kind == 0) return clock - random.nextInt(400_000);
    if (kind == 1) return clock + random.nextInt(30_000);
    return clock - 5_000L * random.nextInt(27);
  }

  /** A store that retains duplicates ignores null, but logs it under a sequence of its own: never asked for. */
  private static String windowCommand(long clock, boolean duplicates) {
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3, 4:
        return "put " + key() + " " + time(clock) + " " + (random.nextInt(4) == 0 && !duplicates ? "-" : "v" + random.nextInt(100));
      case 5, 6:
        return "fetch " + key() + " " + time(clock);
      case 7:
        return "fetchKey " + key() + " " + time(clock) + " " + time(clock);
      case 8:
        return "backwardFetchKey " + key() + " " + time(clock) + " " + time(clock);
      case 9:
        return (random.nextBoolean() ? "fetchKeys " : "backwardFetchKeys ") + bound() + " " + bound() + " " + time(clock) + " "
            + time(clock);
      case 10:
        return (random.nextBoolean() ? "fetchAll " : "backwardFetchAll ") + time(clock) + " " + time(clock);
      default:
        return random.nextBoolean() ? "all" : "backwardAll";
    }
  }

  private static String session(long clock) {
    long end = time(clock);
    long[] lengths = {0, 1, 5_000, 90_000};
    return key() + " " + (end - lengths[random.nextInt(lengths.length)]) + " " + end;
  }

  private static String sessionCommand(long clock) {
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3:
        return "put " + session(clock) + " v" + random.nextInt(100);
      case 4:
        return "remove " + session(clock);
      case 5:
        return "fetchSession " + session(clock);
      case 6, 7:
        return "find " + key() + " " + time(clock) + " " + time(clock);
      case 8:
        return "backwardFind " + key() + " " + time(clock) + " " + time(clock);
      case 9:
        return (random.nextBoolean() ? "findRange " : "backwardFindRange ") + bound() + " " + bound() + " " + time(clock) + " "
            + time(clock);
      case 10:
        return (random.nextBoolean() ? "fetch " : "backwardFetch ") + key();
      default:
        return (random.nextBoolean() ? "fetchRange " : "backwardFetchRange ") + bound() + " " + bound();
    }
  }

  private static String orNull(String text) {
    return text.equals("-") ? null : text;
  }

  private static <R, V> String rows(KeyValueIterator<R, V> iterator, Function<V, String> shown) {
    List<String> rows = new ArrayList<>();
    try (iterator) {
      while (iterator.hasNext()) {
        KeyValue<R, V> row = iterator.next();
        String at = row.key instanceof Windowed<?> windowed
            ? windowed.key() + "@" + windowed.window().start() + "-" + windowed.window().end()
            : row.key.toString();
        rows.add(at + "=" + shown.apply(row.value));
      }
    }
    return String.join(";", rows);
  }

  private static <V> String answerOfWindows(WindowStore<String, V> store, String[] words, Function<String, V> made, Function<V, String> shown) {
    switch (words[0]) {
      case "put":
        store.put(words[1], words[3].equals("-") ? null : made.apply(words[3]), Long.parseLong(words[2]));
        return "";
      case "fetch":
        V value = store.fetch(words[1], Long.parseLong(words[2]));
        return value == null ? "null" : shown.apply(value);
      case "fetchKey":
        return rows(store.fetch(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])), shown);
      case "backwardFetchKey":
        return rows(store.backwardFetch(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])), shown);
      case "fetchKeys":
        return rows(store.fetch(orNull(words[1]), orNull(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])), shown);
      case "backwardFetchKeys":
        return rows(store.backwardFetch(orNull(words[1]), orNull(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])), shown);
      case "fetchAll":
        return rows(store.fetchAll(Long.parseLong(words[1]), Long.parseLong(words[2])), shown);
      case "backwardFetchAll":
        return rows(store.backwardFetchAll(Long.parseLong(words[1]), Long.parseLong(words[2])), shown);
      case "all":
        return rows(store.all(), shown);
      case "backwardAll":
        return rows(store.backwardAll(), shown);
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  private static Windowed<String> windowed(String[] words) {
    return new Windowed<>(words[1], new SessionWindow(Long.parseLong(words[2]), Long.parseLong(words[3])));
  }

  private static String answerOfSessions(SessionStore<String, String> store, String[] words) {
    Function<String, String> shown = value -> value;
    switch (words[0]) {
      case "put":
        store.put(windowed(words), words[4]);
        return "";
      case "remove":
        store.remove(windowed(words));
        return "";
      case "fetchSession":
        return String.valueOf(store.fetchSession(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])));
      case "find":
        return rows(store.findSessions(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])), shown);
      case "backwardFind":
        return rows(store.backwardFindSessions(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])), shown);
      case "findRange":
        return rows(store.findSessions(orNull(words[1]), orNull(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])), shown);
      case "backwardFindRange":
        return rows(
            store.backwardFindSessions(orNull(words[1]), orNull(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])), shown);
      case "fetch":
        return rows(store.fetch(words[1]), shown);
      case "backwardFetch":
        return rows(store.backwardFetch(words[1]), shown);
      case "fetchRange":
        return rows(store.fetch(orNull(words[1]), orNull(words[2])), shown);
      case "backwardFetchRange":
        return rows(store.backwardFetch(orNull(words[1]), orNull(words[2])), shown);
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  /** Runs each record's value as a command, and forwards the answer. */
  private static final class Commands implements Processor<String, String, String, String> {
    private final String kind;
    private ProcessorContext<String, String> context;

    Commands(String kind) {
      this.kind = kind;
    }

    @Override
    public void init(ProcessorContext<String, String> context) {
      this.context = context;
    }

    @Override
    public void process(Record<String, String> record) {
      String[] words = record.value().split(" ");
      String answer;
      if (kind.equals("session")) {
        answer = answerOfSessions(context.getStateStore("store"), words);
      } else if (kind.equals("timestamped-window")) {
        WindowStore<String, ValueAndTimestamp<String>> store = context.getStateStore("store");
        // A timestamp of its own: the changelog takes the row's, not the record's.
        answer = answerOfWindows(store, words, value -> ValueAndTimestamp.make(value, record.timestamp() - 5),
            row -> row.value() + "#" + row.timestamp());
      } else {
        WindowStore<String, String> store = context.getStateStore("store");
        answer = answerOfWindows(store, words, value -> value, value -> value);
      }
      context.forward(record.withValue(answer));
    }
  }

  private static String hexadecimal(byte[] bytes) {
    return bytes == null ? "null" : HexFormat.of().formatHex(bytes);
  }

  private static String run(String kind, StoreBuilder<?> store) {
    Topology topology = new Topology()
        .addSource("source", new StringDeserializer(), new StringDeserializer(), "commands")
        .addProcessor("commands", () -> new Commands(kind), "source")
        .addStateStore(store, "commands")
        .addSink("sink", "answers", new StringSerializer(), new StringSerializer(), "commands");
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "stores");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    StringBuilder text = new StringBuilder();
    try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings)) {
      TestInputTopic<String, String> commands = driver.createInputTopic("commands", new StringSerializer(), new StringSerializer());
      TestOutputTopic<String, String> answers = driver.createOutputTopic("answers", new StringDeserializer(), new StringDeserializer());
      TestOutputTopic<byte[], byte[]> changelog =
          driver.createOutputTopic("stores-store-changelog", new ByteArrayDeserializer(), new ByteArrayDeserializer());
      for (int index = 0; index < COMMANDS; index++) {
        long clock = START + index * 4_000L;
        String command = kind.equals("session") ? sessionCommand(clock) : windowCommand(clock, kind.equals("window-duplicates"));
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
    Map<String, StoreBuilder<?>> stores = new LinkedHashMap<>();
    stores.put("window", Stores.windowStoreBuilder(
        Stores.persistentWindowStore("store", RETENTION, WINDOW, false), Serdes.String(), Serdes.String()));
    stores.put("window-duplicates", Stores.windowStoreBuilder(
        Stores.persistentWindowStore("store", RETENTION, WINDOW, true), Serdes.String(), Serdes.String()));
    stores.put("timestamped-window", Stores.timestampedWindowStoreBuilder(
        Stores.persistentTimestampedWindowStore("store", RETENTION, WINDOW, false), Serdes.String(), Serdes.String()));
    stores.put("session", Stores.sessionStoreBuilder(
        Stores.persistentSessionStore("store", RETENTION), Serdes.String(), Serdes.String()));
    for (Map.Entry<String, StoreBuilder<?>> entry : stores.entrySet()) {
      Files.writeString(Path.of(arguments[0]).resolve(entry.getKey() + ".txt"), run(entry.getKey(), entry.getValue().withLoggingEnabled(Map.of())));
    }
    System.out.println(stores.size() + " stores run");
  }
}
