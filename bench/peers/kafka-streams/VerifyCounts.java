package weir.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts the input topic's records by key with nothing but a map, and compares that with the last value of each key on the output topic.
 * Prints what it found; {@code wrongKeys} is the number of keys that are missing, too many, or have another count.
 */
public final class VerifyCounts {
  private long outputRecords;
  private long fallingCounts;
  private final OutputProgress progress = new OutputProgress();

  private VerifyCounts() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String inputTopic = arguments.text("input");
    String outputTopic = arguments.text("output");
    arguments.end();
    new VerifyCounts().run(bootstrap, inputTopic, outputTopic);
  }

  private void run(String bootstrap, String inputTopic, String outputTopic) {
    Map<String, Count> counts = new HashMap<>();
    Topics.forEachRecord(bootstrap, inputTopic, record -> countOf(counts, record.key()).expected++);
    long keys = counts.size();
    Topics.forEachRecord(bootstrap, outputTopic, record -> {
      Count count = countOf(counts, record.key());
      long value = ByteBuffer.wrap(record.value()).getLong();
      if (value <= count.found) {
        fallingCounts++;
      }
      count.found = value;
      outputRecords++;
      progress.add(record.timestamp());
    });
    long records = counts.values().stream().mapToLong(count -> count.expected).sum();
    long wrongKeys = counts.values().stream().filter(count -> count.expected != count.found).count();
    System.out.printf(
        "{\"event\":\"verified\",\"isRight\":%b,\"records\":%d,\"keys\":%d,\"outputRecords\":%d,\"wrongKeys\":%d,"
            + "\"fallingCounts\":%d,%s}%n",
        wrongKeys == 0 && fallingCounts == 0, records, keys, outputRecords, wrongKeys, fallingCounts, progress.json());
  }

  private static Count countOf(Map<String, Count> counts, byte[] key) {
    return counts.computeIfAbsent(new String(key, StandardCharsets.ISO_8859_1), name -> new Count());
  }

  private static final class Count {
    long expected;
    long found;
  }
}
