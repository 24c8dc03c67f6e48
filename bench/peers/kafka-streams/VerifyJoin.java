package weir.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Joins the input topic's records to the rows with nothing but sorted maps, and compares that with the output topic, record by record in each
 * partition. Prints what it found; {@code wrongRecords} is the number of output records that are not the expected ones, and of those missing.
 */
public final class VerifyJoin {
  private VerifyJoin() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String rowsTopic = arguments.text("rows");
    String inputTopic = arguments.text("input");
    String outputTopic = arguments.text("output");
    arguments.end();

    Map<String, TreeMap<Integer, Integer>> rows = new HashMap<>();
    Topics.forEachRecord(bootstrap, rowsTopic, record -> {
      ByteBuffer value = ByteBuffer.wrap(record.value());
      rows.computeIfAbsent(text(record.key()), key -> new TreeMap<>()).put(value.getInt(), value.getInt());
    });
    Map<Integer, ArrayDeque<String>> expected = new HashMap<>();
    long[] records = {0};
    Topics.forEachRecord(bootstrap, inputTopic, record -> {
      String key = text(record.key());
      ByteBuffer value = ByteBuffer.wrap(record.value());
      var neighbours = rows.get(key).subMap(value.getInt(), true, value.getInt(), true).values();
      long sum = neighbours.stream().mapToLong(Integer::longValue).sum();
      expected.computeIfAbsent(record.partition(), partition -> new ArrayDeque<>())
          .add(key + " " + neighbours.size() + " " + sum);
      records[0]++;
    });
    long[] outputs = {0};
    long[] wrong = {0};
    var progress = new OutputProgress();
    Topics.forEachRecord(bootstrap, outputTopic, record -> {
      progress.add(record.timestamp());
      outputs[0]++;
      var next = expected.get(record.partition());
      if (next == null || !(text(record.key()) + " " + text(record.value())).equals(next.poll())) {
        wrong[0]++;
      }
    });
    wrong[0] += expected.values().stream().mapToLong(ArrayDeque::size).sum();
    System.out.printf(
        "{\"event\":\"verified\",\"isRight\":%b,\"records\":%d,\"outputRecords\":%d,\"wrongRecords\":%d,%s}%n",
        wrong[0] == 0, records[0], outputs[0], wrong[0], progress.json());
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
