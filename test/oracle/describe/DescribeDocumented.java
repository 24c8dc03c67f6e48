import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies of test/unit/topology/described-documented.ts: those of Kafka's own documentation and demos. */
final class DescribeDocumented {
  private static final Serde<String> TEXT = Serdes.String();
  private static final Duration FIVE = Duration.ofMinutes(5);

  private DescribeDocumented() {}

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(TEXT, TEXT));
  }

  private static KTable<String, String> table(StreamsBuilder builder, String topic) {
    return builder.table(topic, Consumed.with(TEXT, TEXT));
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static StreamJoined<String, String, String> joined() {
    return StreamJoined.with(TEXT, TEXT, TEXT);
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("doc-pipe", builder -> stream(builder, "streams-plaintext-input").to("streams-pipe-output"));

    topologies.accept("doc-line-split", builder -> stream(builder, "streams-plaintext-input")
        .flatMapValues(value -> Arrays.asList(value.split("\\W+")))
        .to("streams-linesplit-output"));

    topologies.accept("doc-word-count", builder -> stream(builder, "streams-plaintext-input")
        .flatMapValues(value -> Arrays.asList(value.split("\\W+")))
        .groupBy((key, value) -> value)
        .count(as("counts-store"))
        .toStream()
        .to("streams-wordcount-output", Produced.with(TEXT, Serdes.Long())));

    topologies.accept("doc-page-view-region", builder -> {
      KStream<String, String> views = stream(builder, "streams-pageview-input");
      KTable<String, String> users = table(builder, "streams-userprofile-input");
      views.leftJoin(users, (view, profile) -> view)
          .map((user, view) -> new KeyValue<>(view, view))
          .groupByKey(Grouped.with(TEXT, TEXT))
          .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofDays(7), Duration.ofDays(1)).advanceBy(Duration.ofSeconds(1)))
          .count()
          .toStream()
          .map((key, value) -> new KeyValue<>(key.key(), value))
          .to("streams-pageviewstats-output", Produced.with(TEXT, Serdes.Long()));
    });

    topologies.accept("doc-temperature", builder -> stream(builder, "iot-temperature")
        .selectKey((key, value) -> "temp")
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(5)))
        .reduce((one, two) -> one.compareTo(two) > 0 ? one : two)
        .toStream()
        .filter((key, value) -> value.length() > 2)
        .map((key, value) -> new KeyValue<>(key.toString(), value))
        .to("iot-temperature-max", Produced.with(TEXT, TEXT)));

    topologies.accept("doc-branch", builder -> stream(builder, "orders")
        .split(Named.as("Branch-"))
        .branch((key, value) -> key.startsWith("A"), Branched.as("A"))
        .branch((key, value) -> key.startsWith("B"), Branched.as("B"))
        .defaultBranch(Branched.as("C"))
        .forEach((name, branch) -> branch.to("out-" + name)));

    topologies.accept("doc-transformations", builder -> {
      KStream<String, String> lines = stream(builder, "lines");
      lines.filter((key, value) -> true).filterNot((key, value) -> false)
          .flatMap((key, value) -> List.of(KeyValue.pair(value, value)))
          .peek((key, value) -> {})
          .merge(stream(builder, "more"))
          .to("merged");
      lines.map((key, value) -> KeyValue.pair(value, key)).groupByKey(Grouped.with(TEXT, TEXT)).count().toStream()
          .to("counted", Produced.with(TEXT, Serdes.Long()));
      lines.repartition(Repartitioned.numberOfPartitions(10)).to("spread");
    });

    topologies.accept("doc-aggregations", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "values").groupByKey();
      grouped.aggregate(() -> 0L, (key, value, sum) -> sum + value.length(),
          DescribeDocumented.<Long>as("aggregated-stream-store").withValueSerde(Serdes.Long())).toStream()
          .to("sums", Produced.with(TEXT, Serdes.Long()));
      grouped.count().toStream().to("counts", Produced.with(TEXT, Serdes.Long()));
      grouped.reduce((one, two) -> one + two).toStream().to("reduced");
    });

    topologies.accept("doc-windowed-aggregations", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "values").groupByKey();
      grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(FIVE))
          .aggregate(() -> 0L, (key, value, sum) -> sum + 1,
              Materialized.<String, Long, org.apache.kafka.streams.state.WindowStore<Bytes, byte[]>>as("time-windowed-store")
                  .withValueSerde(Serdes.Long()));
      grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(FIVE, Duration.ofMinutes(30)))
          .aggregate(() -> 0L, (key, value, sum) -> sum + 1,
              Materialized.<String, Long, org.apache.kafka.streams.state.WindowStore<Bytes, byte[]>>as("sliding-windowed-store")
                  .withValueSerde(Serdes.Long()));
      grouped.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(FIVE))
          .aggregate(() -> 0L, (key, value, sum) -> sum + 1, (key, left, right) -> left + right,
              Materialized.<String, Long, org.apache.kafka.streams.state.SessionStore<Bytes, byte[]>>as("sessionized-store")
                  .withValueSerde(Serdes.Long()));
    });

    topologies.accept("doc-windows-in-order", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "visits").groupBy((key, value) -> value);
      grouped.windowedBy(TimeWindows.ofSizeAndGrace(FIVE, Duration.ofMinutes(1))).count().toStream()
          .map((key, value) -> KeyValue.pair(key.key(), value)).to("tumbling", Produced.with(TEXT, Serdes.Long()));
      grouped.windowedBy(TimeWindows.ofSizeAndGrace(FIVE, FIVE).advanceBy(Duration.ofMinutes(1))).count().toStream()
          .map((key, value) -> KeyValue.pair(key.key(), value)).to("hopping", Produced.with(TEXT, Serdes.Long()));
      grouped.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(FIVE)).count().toStream()
          .map((key, value) -> KeyValue.pair(key.key(), value)).to("sessions", Produced.with(TEXT, Serdes.Long()));
    });

    topologies.accept("doc-stream-stream-joins", builder -> {
      KStream<String, String> left = stream(builder, "left");
      KStream<String, String> right = stream(builder, "right");
      JoinWindows windows = JoinWindows.ofTimeDifferenceWithNoGrace(FIVE);
      left.join(right, (one, two) -> one + two, windows, joined()).to("inner");
      left.leftJoin(right, (one, two) -> one + two, windows, joined()).to("left-joined");
      left.outerJoin(right, (one, two) -> one + two, windows, joined()).to("outer");
    });

    topologies.accept("doc-table-table-joins", builder -> {
      KTable<String, String> left = table(builder, "left");
      KTable<String, String> right = table(builder, "right");
      left.join(right, (one, two) -> one + two).toStream().to("inner");
      left.leftJoin(right, (one, two) -> one + two).toStream().to("left-joined");
      left.outerJoin(right, (one, two) -> one + two).toStream().to("outer");
    });

    topologies.accept("doc-stream-table-joins", builder -> {
      KStream<String, String> left = stream(builder, "left");
      KTable<String, String> right = table(builder, "right");
      left.join(right, (one, two) -> one + two, Joined.with(TEXT, TEXT, TEXT)).to("inner");
      left.leftJoin(right, (one, two) -> one + two, Joined.with(TEXT, TEXT, TEXT)).to("left-joined");
    });

    topologies.accept("doc-naming", builder -> {
      KStream<String, String> stream = builder.stream("input", Consumed.<String, String>as("Customer_transactions_input_topic"));
      stream.filter((key, value) -> !value.equals("invalid_txn"), Named.as("filter_out_invalid_txns"))
          .mapValues(value -> value.substring(0, 5), Named.as("Map_values_to_first_6_characters"))
          .to("output", Produced.as("Mapped_transactions_output_topic"));
    });

    topologies.accept("doc-naming-aggregation", builder -> stream(builder, "input")
        .selectKey((key, value) -> value)
        .groupByKey(Grouped.as("Purchase_count"))
        .count(as("purchase-counts"))
        .toStream()
        .to("output", Produced.with(TEXT, Serdes.Long())));

    topologies.accept("doc-naming-join", builder -> {
      KStream<String, String> stream = stream(builder, "input").selectKey((key, value) -> value);
      KStream<String, String> other = stream(builder, "other").filter((key, value) -> value.length() > 2);
      stream.join(other, (one, two) -> one, JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofHours(1)),
          joined().withName("Join").withStoreName("join-store")).to("joined");
      stream.groupByKey(Grouped.with("count", TEXT, TEXT)).count(as("counted")).toStream()
          .to("counts", Produced.with(TEXT, Serdes.Long()));
    });

    topologies.accept("doc-optimization", builder -> {
      KStream<String, String> mapped = stream(builder, "input").map((key, value) -> KeyValue.pair(value, key));
      mapped.filter((key, value) -> key.equals("B")).mapValues(value -> value).foreach((key, value) -> {});
      KStream<String, Long> counts = mapped.groupByKey(Grouped.with(TEXT, TEXT)).count(as("count-store")).toStream();
      counts.to("counts", Produced.with(TEXT, Serdes.Long()));
      mapped.groupByKey(Grouped.with(TEXT, TEXT)).aggregate(() -> 0L, (key, value, sum) -> sum + value.length(),
          Materialized.with(TEXT, Serdes.Long())).toStream().to("aggregated", Produced.with(TEXT, Serdes.Long()));
      mapped.filter((key, value) -> key.equals("A")).peek((key, value) -> {}).groupByKey(Grouped.with(TEXT, TEXT))
          .reduce((one, two) -> one).toStream().peek((key, value) -> {}).to("reduced");
      mapped.filter((key, value) -> key.equals("A"))
          .join(counts, (one, two) -> one, JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofSeconds(5)),
              StreamJoined.with(TEXT, TEXT, Serdes.Long()))
          .to("joined");
    });

    topologies.accept("doc-to-table", builder -> {
      KTable<String, String> rows = stream(builder, "rows").toTable(as("stream-converted-to-table"));
      rows.toStream().to("changes");
    });

    topologies.accept("doc-session-clicks", builder -> stream(builder, "clicks")
        .groupByKey(Grouped.with(TEXT, TEXT))
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(FIVE, Duration.ofMinutes(1)))
        .count(Materialized.as("clicks-per-session"))
        .toStream()
        .filter((key, value) -> value != null)
        .selectKey((key, value) -> key.key())
        .to("sessions", Produced.with(TEXT, Serdes.Long())));
  }
}
