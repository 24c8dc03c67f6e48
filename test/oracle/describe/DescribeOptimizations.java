import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies of test/unit/topology/described-optimizations.ts. */
final class DescribeOptimizations {
  private static final Serde<String> TEXT = Serdes.String();
  private static final JoinWindows WINDOWS = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMinutes(5), Duration.ofMinutes(1));

  private DescribeOptimizations() {}

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

  private static Grouped<String, String> grouped() {
    return Grouped.with(TEXT, TEXT);
  }

  private static Processor<String, String, String, String> processor() {
    return new ContextualProcessor<>() {
      @Override
      public void process(Record<String, String> record) {}
    };
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("merge-two-aggregates", builder -> {
      KGroupedStream<String, String> grouped = stream(builder, "a").selectKey((key, value) -> value).groupByKey(grouped());
      grouped.count().toStream().to("counts");
      grouped.reduce((one, two) -> two).toStream().to("reduced");
    });

    topologies.accept("merge-of-each-stream", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").map(KeyValue::pair);
      rekeyed.groupByKey(grouped()).count(as("one")).toStream().to("counts");
      rekeyed.filter((key, value) -> true).groupByKey(grouped()).count(as("two")).toStream().to("filtered");
      rekeyed.peek((key, value) -> {}).toTable(Materialized.with(TEXT, TEXT)).toStream().to("table");
      rekeyed.filterNot((key, value) -> true).to("plain");
    });

    topologies.accept("merge-named", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").selectKey((key, value) -> value);
      rekeyed.groupByKey(Grouped.with("first-name", TEXT, TEXT)).count().toStream().to("counts");
      rekeyed.groupByKey(Grouped.with("second-name", TEXT, TEXT)).reduce((one, two) -> two).toStream().to("reduced");
    });

    topologies.accept("merge-of-flat-map", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").flatMap((key, value) -> List.of(KeyValue.pair(key, value)));
      rekeyed.groupByKey(grouped()).windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1))).count().toStream().to("windowed");
      rekeyed.groupByKey(grouped()).count().toStream().to("counts");
      rekeyed.groupBy((key, value) -> value, grouped()).count().toStream().to("regrouped");
    });

    topologies.accept("merge-not-over-values", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").selectKey((key, value) -> value);
      rekeyed.mapValues(value -> value + "!").groupByKey(grouped()).count().toStream().to("mapped");
      rekeyed.flatMapValues(value -> List.of(value)).groupByKey(grouped()).count().toStream().to("flat-mapped");
      rekeyed.groupByKey(grouped()).count().toStream().to("counts");
    });

    topologies.accept("merge-not-over-processors", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").selectKey((key, value) -> value);
      rekeyed.process(DescribeOptimizations::processor).groupByKey(grouped()).count().toStream().to("processed");
      rekeyed.groupByKey(grouped()).count().toStream().to("counts");
    });

    topologies.accept("merge-not-of-explicit", builder -> {
      KStream<String, String> rekeyed = stream(builder, "a").selectKey((key, value) -> value);
      rekeyed.repartition(Repartitioned.with(TEXT, TEXT)).groupByKey().count().toStream().to("explicit");
      rekeyed.groupByKey(grouped()).count().toStream().to("counts");
      rekeyed.groupByKey(grouped()).reduce((one, two) -> two).toStream().to("reduced");
    });

    topologies.accept("merge-with-joins", builder -> {
      KStream<String, String> left = stream(builder, "left").selectKey((key, value) -> value);
      KStream<String, String> right = stream(builder, "right").map(KeyValue::pair);
      KTable<String, String> rows = table(builder, "rows");
      left.join(right, (one, two) -> one, WINDOWS, joined()).to("joined");
      left.leftJoin(rows, (one, two) -> one, Joined.with(TEXT, TEXT, TEXT)).to("enriched");
      left.groupByKey(grouped()).count().toStream().to("left-counts");
      right.groupByKey(grouped()).count().toStream().to("right-counts");
    });

    topologies.accept("merge-node-of-changers", builder -> {
      KStream<String, String> one = stream(builder, "a").selectKey((key, value) -> value);
      KStream<String, String> two = stream(builder, "b").map(KeyValue::pair);
      KStream<String, String> merged = one.merge(two);
      merged.groupByKey(grouped()).count().toStream().to("counts");
      merged.filter((key, value) -> true).groupByKey(grouped()).reduce((left, right) -> right).toStream().to("reduced");
    });

    topologies.accept("merge-node-of-one-changer", builder -> {
      KStream<String, String> merged = stream(builder, "a").selectKey((key, value) -> value).merge(stream(builder, "b"));
      merged.groupByKey(grouped()).count().toStream().to("counts");
      merged.groupByKey(grouped()).reduce((left, right) -> right).toStream().to("reduced");
    });

    topologies.accept("reuse-of-tables", builder -> {
      KTable<String, String> kept = builder.table("kept", Consumed.with(TEXT, TEXT), as("kept-store"));
      KTable<String, String> joinedTable = table(builder, "joined");
      kept.filter((key, value) -> true).join(joinedTable.mapValues(value -> value), (one, two) -> one).toStream().to("out");
      stream(builder, "stream").toTable(as("converted")).toStream().to("converted-out");
      table(builder, "unread").toStream().to("unread-out");
    });

    topologies.accept("self-join", builder -> {
      KStream<String, String> stream = stream(builder, "a");
      stream.join(stream, (one, two) -> one, WINDOWS, joined()).to("out");
    });

    topologies.accept("self-joins", builder -> {
      KStream<String, String> stream = stream(builder, "a").filter((key, value) -> true);
      stream.join(stream, (one, two) -> one, WINDOWS, joined()).to("one");
      stream.leftJoin(stream, (one, two) -> one, WINDOWS, joined().withName("named").withStoreName("kept")).to("two");
      stream.mapValues(value -> value).join(stream, (one, two) -> one, WINDOWS, joined()).to("three");
    });

    topologies.accept("self-join-repartitioned", builder -> {
      KStream<String, String> stream = stream(builder, "a").selectKey((key, value) -> value);
      stream.join(stream, (one, two) -> one, WINDOWS, joined()).to("out");
      stream.groupByKey(grouped()).count().toStream().to("counts");
    });
  }
}
