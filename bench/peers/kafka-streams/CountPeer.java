package weir.bench;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The count workload on Kafka Streams: a topic of (string, bytes) counted per key into the store {@code counts}, every update (with a
 * cache: what leaves it) to the output topic as (string, long).
 *
 * <p>Prints one JSON line when all tasks run, before the first record ({@code ready}), with a cache one when {@code records} records have
 * been processed ({@code processed}; without one the output topic itself shows it), and one when SIGTERM has committed and closed
 * everything ({@code closed}).
 */
public final class CountPeer {
  private CountPeer() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String input = arguments.text("input");
    String output = arguments.text("output");
    long records = arguments.number("records");
    long cacheBytes = arguments.number("cacheBytes");
    Properties settings = settings(arguments, cacheBytes);
    arguments.end();

    var streams = new KafkaStreams(topology(input, output, records, cacheBytes > 0), settings);
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
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      if (streams.close(Duration.ofSeconds(120))) {
        print("closed");
      }
    }));
    streams.start();
    new CountDownLatch(1).await();
  }

  private static Topology topology(String input, String output, long records, boolean isCached) {
    var builder = new StreamsBuilder();
    KStream<String, byte[]> source = builder.stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()));
    var counts = Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.Long());
    if (isCached) {
      var processed = new AtomicLong();
      source = source.peek((key, value) -> {
        if (processed.incrementAndGet() == records) {
          print("processed");
        }
      });
      counts = counts.withCachingEnabled();
    } else {
      counts = counts.withCachingDisabled();
    }
    source
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .count(counts)
        .toStream()
        .to(output, Produced.with(Serdes.String(), Serdes.Long()));
    return builder.build();
  }

  private static Properties settings(Arguments arguments, long cacheBytes) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.text("bootstrap"));
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.text("applicationId"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments.text("stateDir"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, (int) arguments.number("threads"));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments.number("commitIntervalMs"));
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cacheBytes);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, SharedMemoryRocksDb.class);
    // More than one poll brings, so that partitions are not paused and resumed all the time.
    settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);

    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);

    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
    return settings;
  }

  private static void print(String event) {
    System.out.printf("{\"event\":\"%s\"}%n", event);
    System.out.flush();
  }
}
