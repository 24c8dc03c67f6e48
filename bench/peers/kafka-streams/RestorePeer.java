package weir.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The restore workload on Kafka Streams: a store {@code rows} that is only restored and read. Says {@code restoring} when the first
 * changelog begins to be restored and {@code ready} when every task has its state; then each task reads rounds of random keys of its
 * partition and says what a round took ({@code reads}), and at last what it holds ({@code rows}).
 */
public final class RestorePeer {
  private static final AtomicInteger readyTasks = new AtomicInteger();

  private RestorePeer() {}

  public static void main(String[] args) throws InterruptedException {
    var arguments = new Arguments(args);
    String input = arguments.text("input");
    int partitions = (int) arguments.number("partitions");
    int keys = (int) arguments.number("keys");
    int rounds = (int) arguments.number("rounds");
    int readsPerRound = (int) arguments.number("readsPerRound");
    Properties settings = settings(arguments);
    arguments.end();

    var builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("rows"), Serdes.ByteArray(), Serdes.ByteArray())
            .withCachingDisabled());
    builder.stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .process(() -> new Reader(partitions, keys, rounds, readsPerRound), "rows");
    var streams = new KafkaStreams(builder.build(), settings);
    streams.setGlobalStateRestoreListener(new FirstRestore());
    streams.setStateListener((state, before) -> {
      if (state == KafkaStreams.State.ERROR) {
        // Not from this thread: the shutdown hook waits for it.
        new Thread(() -> System.exit(1)).start();
      }
    });
    // The next system to run joins the same group, which must be empty then.
    var leaving = CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
        .withTimeout(Duration.ofSeconds(120));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(leaving)));
    streams.start();
    new CountDownLatch(1).await();
  }

  private static Properties settings(Arguments arguments) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.text("bootstrap"));
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.text("applicationId"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments.text("stateDir"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, SharedMemoryRocksDb.class);

    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    // As many as a fetch brings: each poll is one write to each store.
    settings.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 20_000);
    settings.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    return settings;
  }

  private static void print(String event, String data) {
    System.out.printf("{\"event\":\"%s\",%s}%n", event, data);
    System.out.flush();
  }

  /** Says when the first restore begins. */
  private static final class FirstRestore implements StateRestoreListener {
    private final AtomicBoolean begun = new AtomicBoolean();

    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      if (begun.compareAndSet(false, true)) {
        print("restoring", "\"atMs\":" + System.currentTimeMillis());
      }
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long to, long records) {}

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long records) {}
  }

  private static final class Reader implements Processor<byte[], byte[], Void, Void> {
    private final int partitions;
    private final int keys;
    private final int readsPerRound;
    private final SplittableRandom random = new SplittableRandom();
    private int left;
    private int partition;
    private KeyValueStore<byte[], byte[]> store;
    private Cancellable schedule;

    Reader(int partitions, int keys, int rounds, int readsPerRound) {
      this.partitions = partitions;
      this.keys = keys;
      this.left = rounds;
      this.readsPerRound = readsPerRound;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore("rows");
      partition = context.taskId().partition();
      if (readyTasks.incrementAndGet() == partitions) {
        print("ready", "\"atMs\":" + System.currentTimeMillis());
      }
      schedule = context.schedule(Duration.ofMillis(10), PunctuationType.WALL_CLOCK_TIME, time -> punctuate());
    }

    @Override
    public void process(Record<byte[], byte[]> record) {}

    private void punctuate() {
      if (readyTasks.get() < partitions) {
        return;
      }
      if (left == 0) {
        schedule.cancel();
        printContents();
        return;
      }
      left--;
      int keysHere = (keys - partition + partitions - 1) / partitions;
      var names = new byte[readsPerRound][];
      for (int i = 0; i < readsPerRound; i++) {
        names[i] = LoadTopic.userKey(partition + (long) partitions * random.nextInt(keysHere));
      }
      long atMs = System.currentTimeMillis();
      long start = System.nanoTime();
      int found = 0;
      for (byte[] name : names) {
        if (store.get(name) != null) {
          found++;
        }
      }
      long micros = (System.nanoTime() - start) / 1000;
      print("reads", "\"partition\":%d,\"atMs\":%d,\"micros\":%d,\"found\":%d".formatted(partition, atMs, micros, found));
    }

    private void printContents() {
      long rows = 0;
      long sum = 0;
      try (var all = store.all()) {
        while (all.hasNext()) {
          sum += Integer.toUnsignedLong(ByteBuffer.wrap(all.next().value).getInt());
          rows++;
        }
      }
      print("rows", "\"rows\":%d,\"sum\":%d".formatted(rows, sum));
    }
  }
}
