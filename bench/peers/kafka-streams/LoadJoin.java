package weir.bench;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Fills the two sides of a 1:N join. The topic {@code rows} gets {@code rowsPerKey} rows for each of {@code keys} keys, about one in ten
 * units of time; a row's value begins with its time and its amount. The topic {@code input} gets {@code records} records of random
 * keys, whose values begin with the first and the last time of {@code neighbours} rows, about. All 4 bytes, big-endian; random bytes follow
 * up to {@code valueBytes}. Every row has a timestamp before that of every record. The same seed gives the same records.
 */
public final class LoadJoin {
  /** Units of time for each row. */
  private static final int SPACING = 10;

  private static final long BASE_MS = 1_700_000_000_000L;

  private LoadJoin() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String rows = arguments.text("rows");
    String input = arguments.text("input");
    long records = arguments.number("records");
    int keys = (int) arguments.number("keys");
    int rowsPerKey = (int) arguments.number("rowsPerKey");
    int neighbours = (int) arguments.number("neighbours");
    int valueBytes = (int) arguments.number("valueBytes");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();
    if (neighbours >= rowsPerKey || valueBytes < 8) {
      throw new IllegalArgumentException("fewer neighbours than rows of a key, and values of at least 8 bytes are needed");
    }

    long start = System.currentTimeMillis();
    try (var writer = new TopicWriter(bootstrap)) {
      for (int row = 0; row < rowsPerKey; row++) {
        for (int key = 0; key < keys; key++) {
          byte[] value = value(random, valueBytes, row * SPACING + random.nextInt(SPACING), random.nextInt(1_000_000));
          writer.write(new ProducerRecord<>(rows, null, BASE_MS + row, LoadTopic.userKey(key), value));
        }
      }
      for (long i = 0; i < records; i++) {
        int from = random.nextInt((rowsPerKey - neighbours) * SPACING);
        byte[] value = value(random, valueBytes, from, from + neighbours * SPACING - 1);
        long timestamp = BASE_MS + rowsPerKey + i;
        writer.write(new ProducerRecord<>(input, null, timestamp, LoadTopic.userKey(random.nextInt(keys)), value));
      }
    }
    System.out.printf("{\"event\":\"loaded\",\"records\":%d,\"ms\":%d}%n", records, System.currentTimeMillis() - start);
  }

  private static byte[] value(SplittableRandom random, int bytes, int first, int second) {
    byte[] value = new byte[bytes];
    random.nextBytes(value);
    ByteBuffer.wrap(value).putInt(first).putInt(second);
    return value;
  }
}
