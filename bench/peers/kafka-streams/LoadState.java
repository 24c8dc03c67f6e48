package weir.bench;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Fills a changelog of one partition with a row for each of {@code keys} keys {@code user-0000000000} and so on: a count of 1 (8 bytes, big-endian)
 * and {@code valueBytes} random bytes. The same seed gives the same rows.
 */
public final class LoadState {
  private LoadState() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String topic = arguments.text("topic");
    int keys = (int) arguments.number("keys");
    int valueBytes = (int) arguments.number("valueBytes");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    long start = System.currentTimeMillis();
    try (var writer = new TopicWriter(bootstrap)) {
      for (int user = 0; user < keys; user++) {
        byte[] value = new byte[valueBytes];
        random.nextBytes(value);
        byte[] row = ByteBuffer.allocate(8 + valueBytes).putLong(1).put(value).array();
        writer.write(new ProducerRecord<>(topic, 0, LoadTopic.userKey(user), row));
      }
    }
    System.out.printf("{\"event\":\"loaded\",\"ms\":%d}%n", System.currentTimeMillis() - start);
  }
}
