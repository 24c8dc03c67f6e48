package weir.bench;

import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes records in bulk. {@code close} waits until all are there, and throws when one is not. */
final class TopicWriter implements AutoCloseable {
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicReference<Exception> failure = new AtomicReference<>();

  TopicWriter(String bootstrap) {
    Properties settings = new Properties();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 50);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 512 << 10);
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 128L << 20);
    var serializer = new ByteArraySerializer();
    producer = new KafkaProducer<>(settings, serializer, serializer);
  }

  void write(ProducerRecord<byte[], byte[]> record) {
    failIfFailed();
    producer.send(record, (metadata, error) -> {
      if (error != null) {
        failure.compareAndSet(null, error);
      }
    });
  }

  @Override
  public void close() {
    producer.close();
    failIfFailed();
  }

  private void failIfFailed() {
    if (failure.get() != null) {
      throw new IllegalStateException("a record could not be written", failure.get());
    }
  }
}
