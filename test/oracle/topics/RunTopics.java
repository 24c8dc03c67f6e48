import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs topologies in Kafka Streams' TopologyTestDriver on the same pseudo-random records as test/unit/testing/topics.test.ts, and writes every record
 * of every topic, internal ones included, byte by byte, a file for each topology; and of joins by foreign key once more with a cache, in `caching`, all
 * but the changelogs. test/oracle/run.sh runs it.
 */
public final class RunTopics {
  private static final int RECORDS = 200;
  private static final Map<String, Consumer<StreamsBuilder>> TOPOLOGIES = new LinkedHashMap<>();

  static {
    TOPOLOGIES.put("grace-join", builder -> {
      @SuppressWarnings({"unchecked", "rawtypes"})
      KTable<String, String> table = builder.table("b",
          (Materialized) Materialized.as(Stores.persistentVersionedKeyValueStore("rows", Duration.ofMillis(100))));
      builder.<String, String>stream("a").join(table, (l, r) -> l + "+" + r,
          Joined.<String, String, String>as("named").withGracePeriod(Duration.ofMillis(10))).to("out");
    });
    ForeignKeyTopologies.addTo(TOPOLOGIES);
    GlobalTopologies.addTo(TOPOLOGIES);
    PatternTopologies.addTo(TOPOLOGIES);
  }

  /** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
  private static final class Lcg {
    private long state = 42;

    int next(int bound) {
      state = (state * 1103515245L + 12345L) & 0x7fffffffL;
      return (int) ((state >> 8) % bound);
    }
  }

  private static String run(Consumer<StreamsBuilder> define, boolean caching) {
    StreamsBuilder builder = new StreamsBuilder();
    define.accept(builder);
    Topology topology = builder.build();
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "topics");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, caching ? 1 << 20 : 0);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/topics-" + System.nanoTime());
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    StringBuilder text = new StringBuilder();
    Lcg lcg = new Lcg();
    try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings, Instant.ofEpochMilli(1_000_000))) {
      boolean hasB = topology.describe().toString().contains("[b]");
      Map<String, TestOutputTopic<byte[], byte[]>> topics = new TreeMap<>();
      for (int index = 0; index < RECORDS; index++) {
        String topic = lcg.next(3) == 0 ? "b" : "a";
        String key = lcg.next(10) == 0 ? null : "k" + lcg.next(4);
        String value = lcg.next(8) == 0 ? null : "v" + lcg.next(10);
        long timestamp = 1000L + index + lcg.next(40);
        if (topic.equals("b") && !hasB) continue;
        driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()).pipeInput(key, value, timestamp);
        for (String name : new TreeSet<>(driver.producedTopicNames())) {
          // Where there is a cache, deletions of what was never there are logged here alone.
          if (caching && name.endsWith("-changelog")) continue;
          topics.computeIfAbsent(name, one -> driver.createOutputTopic(one, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
        }
        for (Map.Entry<String, TestOutputTopic<byte[], byte[]>> entry : topics.entrySet()) {
          // Kafka Streams gives these the time at which they are sent.
          boolean isTimed = !entry.getKey().endsWith("-Buffer-changelog");
          for (TestRecord<byte[], byte[]> record : entry.getValue().readRecordsToList()) {
            text.append(index).append(' ').append(entry.getKey()).append(' ').append(shown(record.key())).append(' ')
                .append(shown(record.value())).append(' ').append(isTimed ? record.timestamp() : "-").append('\n');
          }
        }
      }
    }
    return text.toString();
  }

  /** Letters, digits and some signs as they are, other bytes as hexadecimal numbers. */
  private static String shown(byte[] bytes) {
    if (bytes == null) return "null";
    StringBuilder text = new StringBuilder("'");
    for (byte one : bytes) {
      boolean isShown = one > ' ' && one < 127 && one != '\\';
      text.append(isShown ? String.valueOf((char) one) : String.format("\\%02x", one));
    }
    return text.append('\'').toString();
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    for (Map.Entry<String, Consumer<StreamsBuilder>> entry : TOPOLOGIES.entrySet()) {
      Files.writeString(folder.resolve(entry.getKey() + ".txt"), run(entry.getValue(), false));
      if (!entry.getKey().startsWith("foreign-key")) continue;
      Files.writeString(folder.resolve("caching").resolve(entry.getKey() + ".txt"), run(entry.getValue(), true));
    }
    System.out.println(TOPOLOGIES.size() + " topologies run");
  }
}
