import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The application of test/support/topologies/migrated.ts on Kafka Streams. Arguments: bootstrap servers, application id, state folder, prefix of the
 * output topics, bytes of cache, group protocol, {@code leave} or {@code stay} for what
 * it does with its group when it ends. Waits until the group is empty; prints {@code running} when it runs. With {@code describe} and a prefix it prints
 * the topology alone.
 */
public final class MigratedPeer {
  private static final Serdes.StringSerde TEXT = new Serdes.StringSerde();

  private MigratedPeer() {}

  private static String chain(String aggregate, String click) {
    String[] parts = aggregate.split(":");
    return Long.parseLong(parts[0]) + 1 + ":" + (Long.parseLong(parts[1]) * 31 + numberOf(click)) % 1_000_000_007L;
  }

  private static String add(String one, String other) {
    String[] ones = one.split(":");
    String[] others = other.split(":");
    return Long.parseLong(ones[0]) + Long.parseLong(others[0]) + ":" + (Long.parseLong(ones[1]) + Long.parseLong(others[1]));
  }

  private static String teamOf(String click) {
    return click.substring(0, click.indexOf('|'));
  }

  private static long numberOf(String click) {
    return Long.parseLong(click.substring(click.indexOf('|') + 1));
  }

  private static String customerOf(String order) {
    String customer = order.substring(0, order.indexOf('|'));
    return customer.isEmpty() ? null : customer;
  }

  private static Topology topology(String prefix) {
    var builder = new StreamsBuilder();
    var texts = Consumed.with(TEXT, TEXT);
    var clicks = builder.stream("clicks", texts);
    var views = builder.stream("views", texts);
    var ofUsers = clicks.groupByKey(Grouped.with(TEXT, TEXT));
    ofUsers
        .aggregate(() -> "0:0", (key, click, aggregate) -> chain(aggregate, click), stored("totals"))
        .toStream()
        .to(prefix + "totals", Produced.with(TEXT, TEXT));
    ofUsers
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5)))
        .aggregate(() -> "0:0", (key, click, aggregate) -> chain(aggregate, click), Materialized.with(TEXT, TEXT))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .to(prefix + "closed", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 10_000), TEXT));
    ofUsers
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(7), Duration.ofSeconds(5)))
        .emitStrategy(EmitStrategy.onWindowClose())
        .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>with(TEXT, Serdes.Long()).withRetention(Duration.ofMinutes(10)))
        .toStream()
        .to(prefix + "counted", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 7_000), Serdes.Long()));
    ofUsers
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(2), Duration.ofSeconds(5)))
        .aggregate(
            () -> "0:0",
            (key, click, aggregate) -> add(aggregate, "1:" + numberOf(click)),
            (key, one, other) -> add(one, other),
            Materialized.<String, String, SessionStore<Bytes, byte[]>>as("visits").withValueSerde(TEXT))
        .toStream()
        .to(prefix + "visits", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), TEXT));
    clicks
        .groupBy((user, click) -> teamOf(click), Grouped.with(TEXT, TEXT))
        .aggregate(() -> "0:0", (key, click, aggregate) -> chain(aggregate, click), stored("teams"))
        .toStream()
        .to(prefix + "teams", Produced.with(TEXT, TEXT));
    clicks
        .outerJoin(
            views,
            (click, view) -> click + "+" + view,
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(3), Duration.ofSeconds(20)),
            StreamJoined.with(TEXT, TEXT, TEXT))
        .to(prefix + "joined", Produced.with(TEXT, TEXT));
    var orders = builder.table("orders", texts);
    orders
        .leftJoin(
            builder.table("customers", texts),
            MigratedPeer::customerOf,
            (order, customer) -> order + "+" + customer,
            stored("deliveries"))
        .toStream()
        .to(prefix + "deliveries", Produced.with(TEXT, TEXT));
    return builder.build();
  }

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> stored(String name) {
    return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(TEXT).withValueSerde(TEXT);
  }

  /** The group's members speak another protocol than those of this application: it must have none. */
  private static void waitUntilEmpty(String bootstrapServers, String group) throws Exception {
    try (var admin = Admin.create(java.util.Map.<String, Object>of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers))) {
      while (true) {
        try {
          var state = admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get().groupState();
          if (state == GroupState.EMPTY || state == GroupState.DEAD) return;
        } catch (java.util.concurrent.ExecutionException failure) {
          if (failure.getCause() instanceof GroupIdNotFoundException) return;
          throw failure;
        }
        Thread.sleep(100);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("describe")) {
      System.out.print(topology(arguments[1]).describe());
      return;
    }
    var settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, arguments[4]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, 2_000);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    // What a killed process leaves behind is over soon.
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 4_000);
    settings.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, arguments[5]);
    if (arguments[5].equals("classic")) {
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 4_000);
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 1_000);
    }
    waitUntilEmpty(arguments[0], arguments[1]);
    var streams = new KafkaStreams(topology(arguments[3]), settings);
    streams.setStateListener((state, before) -> {
      if (state == KafkaStreams.State.RUNNING) System.out.println("running");
      // Not from this thread: the shutdown hook waits for it.
      if (state == KafkaStreams.State.ERROR) new Thread(() -> System.exit(1)).start();
    });
    // Most applications stay: their members are there until their sessions end.
    var membership = arguments[6].equals("leave")
        ? CloseOptions.GroupMembershipOperation.LEAVE_GROUP
        : CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP;
    var closing = CloseOptions.groupMembershipOperation(membership).withTimeout(Duration.ofSeconds(60));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(closing)));
    streams.start();
    new CountDownLatch(1).await();
  }
}
