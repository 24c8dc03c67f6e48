package weir.bench;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Fills a topic with {@code records} records: keys {@code user-0000000000} to {@code user-(keys - 1)} drawn uniformly, values of {@code
 * valueBytes} random bytes. The same seed gives the same records.
 */
public final class LoadTopic {
  private LoadTopic() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String topic = arguments.text("input");
    long records = arguments.number("records");
    long keys = arguments.number("keys");
    int valueBytes = (int) arguments.number("valueBytes");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    long start = System.currentTimeMillis();
    try (var writer = new TopicWriter(bootstrap)) {
      for (long i = 0; i < records; i++) {
        byte[] value = new byte[valueBytes];
        random.nextBytes(value);
        writer.write(new ProducerRecord<>(topic, userKey(random.nextLong(keys)), value));
      }
    }
    System.out.printf("{\"event\":\"loaded\",\"records\":%d,\"ms\":%d}%n", records, System.currentTimeMillis() - start);
  }

  static byte[] userKey(long user) {
    byte[] key = "user-0000000000".getBytes(StandardCharsets.US_ASCII);
    for (int i = key.length - 1; user > 0; i--, user /= 10) {
      key[i] = (byte) ('0' + user % 10);
    }
    return key;
  }
}
