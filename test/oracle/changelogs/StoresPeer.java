import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/**
 * A store of each kind, changed by the records of a topic ({@code <store> <words>}) and told to another when one says {@code tell}: what
 * test/support/topologies/every-store.ts does with Weir's stores, with Kafka Streams' own. Arguments: bootstrap servers, application id, state
 * folder. Prints {@code running} when it runs; ends on a signal, and leaves its group.
 */
public final class StoresPeer {
  private static final Duration RETENTION = Duration.ofMinutes(2);
  private static final Duration WINDOW = Duration.ofSeconds(10);

  /** How a kind of store is made, how a command changes it, what it holds. */
  private record Kind(StoreBuilder<?> builder, BiConsumer<Object, Command> change, Function<Object, List<String>> rows) {
    static <S> Kind of(StoreBuilder<?> builder, BiConsumer<S, Command> change, Function<S, List<String>> rows) {
      return new Kind(builder, (store, command) -> change.accept(cast(store), command), store -> rows.apply(cast(store)));
    }

    @SuppressWarnings("unchecked")
    private static <S> S cast(Object store) {
      return (S) store;
    }
  }

  /** A command's words after the store's name; "-" is null. */
  private record Command(String[] words, long timestamp) {
    String text(int index) {
      return words[index].equals("-") ? null : words[index];
    }

    long number(int index) {
      return Long.parseLong(words[index]);
    }

    ValueAndTimestamp<String> stamped(int index) {
      return ValueAndTimestamp.makeAllowNullable(text(index), timestamp);
    }
  }

  private static Map<String, Kind> kinds() {
    var string = Serdes.String();
    var kinds = new LinkedHashMap<String, Kind>();
    kinds.put("plain", Kind.<KeyValueStore<String, String>>of(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("plain"), string, string),
        (store, command) -> store.put(command.text(0), command.text(1)),
        store -> rows(store.all(), value -> value)));
    kinds.put("timestamped", Kind.<KeyValueStore<String, ValueAndTimestamp<String>>>of(
        Stores.timestampedKeyValueStoreBuilder(Stores.persistentTimestampedKeyValueStore("timestamped"), string, string),
        (store, command) -> store.put(command.text(0), command.text(1) == null ? null : command.stamped(1)),
        store -> rows(store.all(), StoresPeer::stamped)));
    kinds.put("window", Kind.<WindowStore<String, String>>of(
        Stores.windowStoreBuilder(Stores.persistentWindowStore("window", RETENTION, WINDOW, false), string, string),
        (store, command) -> store.put(command.text(0), command.text(2), command.number(1)),
        store -> rows(store.all(), value -> value)));
    kinds.put("duplicates", Kind.<WindowStore<String, String>>of(
        Stores.windowStoreBuilder(Stores.persistentWindowStore("duplicates", RETENTION, WINDOW, true), string, string),
        (store, command) -> store.put(command.text(0), command.text(2), command.number(1)),
        store -> rows(store.all(), value -> value)));
    kinds.put("timestamped-window", Kind.<WindowStore<String, ValueAndTimestamp<String>>>of(
        Stores.timestampedWindowStoreBuilder(
            Stores.persistentTimestampedWindowStore("timestamped-window", RETENTION, WINDOW, false), string, string),
        (store, command) -> store.put(command.text(0), command.text(2) == null ? null : command.stamped(2), command.number(1)),
        store -> rows(store.all(), StoresPeer::stamped)));
    kinds.put("session", Kind.<SessionStore<String, String>>of(
        Stores.sessionStoreBuilder(Stores.persistentSessionStore("session", RETENTION), string, string),
        (store, command) -> store.put(
            new Windowed<>(command.text(0), new SessionWindow(command.number(1), command.number(2))), command.text(3)),
        store -> rows(store.fetch(null, null), value -> value)));
    kinds.put("versioned", Kind.<VersionedKeyValueStore<String, String>>of(
        Stores.versionedKeyValueStoreBuilder(Stores.persistentVersionedKeyValueStore("versioned", RETENTION), string, string),
        (store, command) -> store.put(command.text(0), command.text(2), command.number(1)),
        StoresPeer::versions));
    return kinds;
  }

  /** A versioned store has no scan: what it finds of these keys, at times up to the newest version. */
  private static List<String> versions(VersionedKeyValueStore<String, String> store) {
    var keys = List.of("a", "aa", "ab", "b", "ba", "c\u00e9");
    long newest = 0;
    for (String key : keys) {
      VersionedRecord<String> latest = store.get(key);
      if (latest != null) newest = Math.max(newest, latest.timestamp());
    }
    var rows = new ArrayList<String>();
    for (String key : keys) {
      for (int index = 0; index < 130; index++) {
        VersionedRecord<String> found = store.get(key, newest - index * 1_000L);
        String row = key + "=" + (found == null ? null : found.value() + "#" + found.timestamp());
        if (rows.isEmpty() || !rows.get(rows.size() - 1).equals(row)) rows.add(row);
      }
    }
    return rows;
  }

  private static String stamped(ValueAndTimestamp<String> row) {
    return row.value() + "#" + row.timestamp();
  }

  private static <K, V> List<String> rows(KeyValueIterator<K, V> iterator, Function<V, String> shown) {
    var rows = new ArrayList<String>();
    try (iterator) {
      while (iterator.hasNext()) {
        KeyValue<K, V> row = iterator.next();
        String at = row.key instanceof Windowed<?> windowed
            ? windowed.key() + "@" + windowed.window().start() + "-" + windowed.window().end()
            : row.key.toString();
        rows.add(at + "=" + shown.apply(row.value));
      }
    }
    return rows;
  }

  private static final class Commands implements Processor<String, String, String, String> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final Map<String, Kind> kinds = kinds();
    private ProcessorContext<String, String> context;

    @Override
    public void init(ProcessorContext<String, String> context) {
      this.context = context;
    }

    @Override
    public void process(Record<String, String> record) {
      if (record.value().equals("tell")) {
        tell(record);
        return;
      }
      String[] parts = record.value().split(" ", 2);
      kinds.get(parts[0]).change.accept(context.getStateStore(parts[0]), new Command(parts[1].split(" "), record.timestamp()));
    }

    private void tell(Record<String, String> record) {
      var rows = new LinkedHashMap<String, List<String>>();
      kinds.forEach((name, kind) -> rows.put(name, kind.rows.apply(context.getStateStore(name))));
      try {
        context.forward(record.withValue(JSON.writeValueAsString(rows)));
      } catch (com.fasterxml.jackson.core.JsonProcessingException failure) {
        throw new IllegalStateException(failure);
      }
    }
  }

  public static void main(String[] arguments) throws InterruptedException {
    var topology = new Topology()
        .addSource("source", new StringDeserializer(), new StringDeserializer(), "commands-" + arguments[1])
        .addProcessor("commands", Commands::new, "source");
    kinds().values().forEach(kind -> topology.addStateStore(kind.builder, "commands"));
    topology.addSink("sink", "answers-" + arguments[1], new StringSerializer(), new StringSerializer(), "commands");

    var settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    var streams = new KafkaStreams(topology, settings);
    streams.setStateListener((state, before) -> {
      if (state == KafkaStreams.State.RUNNING) System.out.println("running");
      // Not from this thread: the shutdown hook waits for it.
      if (state == KafkaStreams.State.ERROR) new Thread(() -> System.exit(1)).start();
    });
    // The next application to run joins the same group, which must be empty then.
    var leaving = CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
        .withTimeout(Duration.ofSeconds(60));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(leaving)));
    streams.start();
    new CountDownLatch(1).await();
  }
}
