package weir.bench;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * A topology on Kafka Streams as a careful team would run it. Prints one JSON line when all tasks run, before the first record ({@code
 * ready}), and one when SIGTERM has committed and closed everything ({@code closed}).
 */
final class Peer {
  private Peer() {}

  static void run(Topology topology, Properties settings) throws InterruptedException {
    var streams = new KafkaStreams(topology, settings);
    var ready = new CountDownLatch(1);
    streams.setStateListener((state, before) -> {
      if (state == KafkaStreams.State.RUNNING && ready.getCount() > 0) {
        ready.countDown();
        print("ready");
      } else if (state == KafkaStreams.State.ERROR) {
        // Not from this thread: the shutdown hook waits for it.
        new Thread(() -> System.exit(1)).start();
      }
    });
    streams.setGlobalStateRestoreListener(new Restores());
    // As the other members would wait for the session's end otherwise.
    var leaving = CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
        .withTimeout(Duration.ofSeconds(120));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      if (streams.close(leaving)) {
        print("closed");
      }
    }));
    streams.start();
    new CountDownLatch(1).await();
  }

  /** Takes what every peer is given out of the arguments. */
  static Properties settings(Arguments arguments, long cacheBytes) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.text("bootstrap"));
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.text("applicationId"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments.text("stateDir"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, (int) arguments.number("threads"));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments.number("commitIntervalMs"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments.text("guarantee"));
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cacheBytes);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, SharedMemoryRocksDb.class);
    // More than one poll brings, so that partitions are not paused and resumed all the time.
    settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);

    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), (int) arguments.number("heartbeatMs", 3_000));
    // As RestorePeer's.
    settings.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 20_000);
    settings.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);

    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
    return settings;
  }

  /**
   * The input stream of a topology that puts out one record for each, unless its store's cache holds them back: then {@code processed} is
   * printed when {@code records} records have been processed.
   */
  static <V> KStream<String, V> source(
      StreamsBuilder builder, String input, Serde<V> values, long records, boolean isCached) {
    KStream<String, V> source = builder.stream(input, Consumed.with(Serdes.String(), values));
    if (!isCached) {
      return source;
    }
    var processed = new AtomicLong();
    return source.peek((key, value) -> {
      if (processed.incrementAndGet() == records) {
        print("processed");
      }
    });
  }

  /** Says when a changelog begins to be restored, and when its store is there. */
  private static final class Restores implements StateRestoreListener {
    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      print("restoring");
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long to, long records) {}

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long records) {
      print("restored");
    }
  }

  private static void print(String event) {
    System.out.printf("{\"event\":\"%s\",\"atMs\":%d}%n", event, System.currentTimeMillis());
    System.out.flush();
  }
}
