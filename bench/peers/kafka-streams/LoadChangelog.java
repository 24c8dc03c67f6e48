package weir.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Fills a changelog with {@code records} records: keys {@code user-0000000000} to {@code user-(keys - 1)} drawn uniformly, key {@code n} in
 * partition {@code n % partitions}, values of {@code valueBytes} random bytes that begin with the record's number (4 bytes, big-endian).
 * Prints how many rows a store has that reflects it, and the sum of the numbers that their values begin with. The same seed gives the same
 * records.
 */
public final class LoadChangelog {
  private LoadChangelog() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String topic = arguments.text("topic");
    int records = (int) arguments.number("records");
    int keys = (int) arguments.number("keys");
    int partitions = (int) arguments.number("partitions");
    int valueBytes = (int) arguments.number("valueBytes");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    int[] last = new int[keys];
    Arrays.fill(last, -1);
    long start = System.currentTimeMillis();
    try (var writer = new TopicWriter(bootstrap)) {
      for (int i = 0; i < records; i++) {
        int user = random.nextInt(keys);
        byte[] value = new byte[valueBytes];
        random.nextBytes(value);
        ByteBuffer.wrap(value).putInt(i);
        last[user] = i;
        var record = new ProducerRecord<>(topic, user % partitions, LoadTopic.userKey(user), value);
        writer.write(record);
      }
    }
    System.out.printf(
        "{\"event\":\"loaded\",\"rows\":%d,\"sum\":%d,\"ms\":%d}%n",
        Arrays.stream(last).filter(number -> number >= 0).count(),
        Arrays.stream(last).filter(number -> number >= 0).asLongStream().sum(),
        System.currentTimeMillis() - start);
  }
}
