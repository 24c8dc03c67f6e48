package weir.bench;

import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills a topic with {@code records} records: keys {@code user-0000000000} to {@code user-(keys - 1)} drawn uniformly, values of {@code
 * valueBytes} random bytes. The same seed gives the same records.
 */
public final class LoadTopic {
  private LoadTopic() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String topic = arguments.text("topic");
    long records = arguments.number("records");
    long keys = arguments.number("keys");
    int valueBytes = (int) arguments.number("valueBytes");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    Properties settings = new Properties();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 50);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 512 << 10);
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 128L << 20);
    var serializer = new ByteArraySerializer();
    var failure = new AtomicReference<Exception>();
    long start = System.currentTimeMillis();
    try (var producer = new KafkaProducer<>(settings, serializer, serializer)) {
      for (long i = 0; i < records && failure.get() == null; i++) {
        byte[] value = new byte[valueBytes];
        random.nextBytes(value);
        producer.send(new ProducerRecord<>(topic, userKey(random.nextLong(keys)), value), (metadata, error) -> {
          if (error != null) {
            failure.compareAndSet(null, error);
          }
        });
      }
    }
    if (failure.get() != null) {
      throw new IllegalStateException("loading " + topic + " failed", failure.get());
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
