import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies of test/unit/topology/described-aggregates.ts. */
final class DescribeAggregates {
  private DescribeAggregates() {}

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static KTable<String, String> table(StreamsBuilder builder, String topic) {
    return builder.table(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("table-groups", builder -> {
      KGroupedTable<String, String> groups =
          table(builder, "rows").groupBy((key, value) -> KeyValue.pair(value, key), Grouped.with(Serdes.String(), Serdes.String()));
      groups.count().toStream().to("counts");
      groups.reduce((l, r) -> l, (l, r) -> l, as("reduced")).filter((key, value) -> true).toStream().to("reduced-out");
      groups.aggregate(() -> "", (key, value, aggregate) -> value, (key, value, aggregate) -> value, Named.as("named"))
          .toStream().to("aggregated");
      stream(builder, "a").mapValues(value -> value).to("b");
    });

    topologies.accept("table-groups-named", builder -> {
      KGroupedTable<String, String> groups =
          stream(builder, "a").groupByKey().reduce((l, r) -> l)
              .filter((key, value) -> true)
              .groupBy((key, value) -> KeyValue.pair(value, key), Grouped.with("shared", Serdes.String(), Serdes.String()));
      KTable<String, Long> counts = groups.count(Named.as("counter"), as("counts"));
      KTable<String, String> reduced = groups.reduce((l, r) -> l, (l, r) -> l);
      table(builder, "rows").groupBy((key, value) -> KeyValue.pair(value, key), Grouped.with(Serdes.String(), Serdes.String()))
          .reduce((l, r) -> l, (l, r) -> l, Named.as("reducer"), as("kept"))
          .join(counts, (l, r) -> l)
          .toStream().to("joined");
      reduced.toStream().to("reduced");
    });

    topologies.accept("suppressed", builder -> {
      KTable<String, String> table = table(builder, "rows");
      table.suppress(Suppressed.untilTimeLimit(Duration.ofMillis(1), BufferConfig.unbounded())).toStream().to("one");
      KTable<String, String> named = table.filter((key, value) -> true)
          .suppress(Suppressed.<String>untilTimeLimit(Duration.ofMillis(1), BufferConfig.maxRecords(1)).withName("hold"));
      named.mapValues(value -> value).toStream().to("two");
      stream(builder, "a").join(named, (l, r) -> l).to("three");
      stream(builder, "a").groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1))).count()
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
          .toStream((key, value) -> key.key()).to("four");
      named.groupBy((key, value) -> KeyValue.pair(value, key), Grouped.with(Serdes.String(), Serdes.String())).count()
          .toStream().to("five");
    });

    topologies.accept("cogroup", builder -> {
      CogroupedKStream<String, String> cogrouped = stream(builder, "a").groupByKey()
          .<String>cogroup((key, value, aggregate) -> value)
          .cogroup(stream(builder, "b").groupByKey(), (key, value, aggregate) -> value);
      KTable<String, String> table = cogrouped.aggregate(() -> "");
      table.filter((key, value) -> true).toStream().to("one");
      cogrouped.aggregate(() -> "", Named.as("named"), as("kept")).toStream().to("two");
      cogrouped.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1))).aggregate(() -> "")
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
          .toStream((key, value) -> key.key()).to("three");
      cogrouped.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMinutes(1)))
          .aggregate(() -> "", (key, one, two) -> one).toStream((key, value) -> key.key()).to("four");
    });

    topologies.accept("cogroup-repartitioned", builder -> {
      KGroupedStream<String, String> first = stream(builder, "a").groupBy((key, value) -> value);
      KGroupedStream<String, String> second =
          stream(builder, "b").groupBy((key, value) -> value, Grouped.with("shared", Serdes.String(), Serdes.String()));
      CogroupedKStream<String, String> cogrouped = first
          .<String>cogroup((key, value, aggregate) -> value)
          .cogroup(second, (key, value, aggregate) -> value)
          .cogroup(stream(builder, "c").groupByKey(), (key, value, aggregate) -> value);
      cogrouped.aggregate(() -> "").toStream().to("one");
      cogrouped.windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(1))).aggregate(() -> "", Named.as("named"))
          .toStream((key, value) -> key.key()).to("two");
    });
  }
}
