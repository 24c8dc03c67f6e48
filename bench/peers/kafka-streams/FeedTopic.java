package weir.bench;

import java.util.List;
import java.util.Properties;
import java.util.SplittableRandom;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Keeps a topic filled until it is ended: {@code backlog} records more than there are on the topic {@code output}, which gets one for each.
 * Keys {@code user-0000000000} to {@code user-(keys - 1)} drawn uniformly, values of {@code valueBytes} random bytes, timestamps of now.
 */
public final class FeedTopic {
  private static final int STEP = 5_000;

  private FeedTopic() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String input = arguments.text("input");
    String output = arguments.text("output");
    long keys = arguments.number("keys");
    int valueBytes = (int) arguments.number("valueBytes");
    long backlog = arguments.number("backlog");
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    Properties settings = new Properties();
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    var deserializer = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(settings, deserializer, deserializer);
        var writer = new TopicWriter(bootstrap)) {
      List<TopicPartition> outputs =
          consumer.partitionsFor(output).stream().map(info -> new TopicPartition(output, info.partition())).toList();
      for (long written = 0; ; ) {
        long done = consumer.endOffsets(outputs).values().stream().mapToLong(Long::longValue).sum();
        if (written - done >= backlog) {
          Thread.sleep(50);
          continue;
        }
        for (int i = 0; i < STEP; i++) {
          byte[] value = new byte[valueBytes];
          random.nextBytes(value);
          writer.write(new ProducerRecord<>(input, LoadTopic.userKey(random.nextLong(keys)), value));
        }
        written += STEP;
      }
    }
  }
}
