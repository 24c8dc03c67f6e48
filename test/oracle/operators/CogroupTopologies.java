import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** The topologies of test/unit/process/operators/cogroup-topologies.ts. */
final class CogroupTopologies {
  private CogroupTopologies() {}

  private static KGroupedStream<String, String> grouped(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String())).groupByKey();
  }

  private static CogroupedKStream<String, String> cogrouped(StreamsBuilder builder) {
    return grouped(builder, "a")
        .<String>cogroup((key, value, aggregate) -> aggregate.length() > 12 ? null : aggregate + value)
        .cogroup(grouped(builder, "b"), (key, value, aggregate) -> value + aggregate);
  }

  private static void showWindows(KTable<Windowed<String>, String> table, String label) {
    table.toStream((key, value) -> key.key() + "@" + key.window().start() + "-" + key.window().end())
        .mapValues(value -> label + value)
        .to("out");
  }

  private static void showAll(KTable<Windowed<String>, String> table) {
    showWindows(table, "");
    showWindows(table.filter((key, value) -> value.length() < 7), "short ");
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("cogroup", builder -> {
      KTable<String, String> table = cogrouped(builder).aggregate(() -> "i", Materialized.with(Serdes.String(), Serdes.String()));
      table.toStream().to("out");
      table.filter((key, value) -> value.length() < 7).toStream().mapValues(value -> "short " + value).to("out");
      table.join(table.mapValues(value -> value.length()), (left, right) -> left + right).toStream()
          .mapValues(value -> "joined " + value).to("out");
    });

    topologies.put("cogroup-windows", builder -> showAll(cogrouped(builder)
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(20), Duration.ofMillis(10)).advanceBy(Duration.ofMillis(8)))
        .aggregate(() -> "i", Materialized.with(Serdes.String(), Serdes.String()))));

    topologies.put("cogroup-sliding", builder -> showAll(cogrouped(builder)
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(5), Duration.ofMillis(30)))
        .aggregate(() -> "i", Materialized.with(Serdes.String(), Serdes.String()))));

    topologies.put("cogroup-sessions", builder -> showAll(cogrouped(builder)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(3), Duration.ofMillis(10)))
        .aggregate(() -> "i", (key, one, two) -> one + "+" + two, Materialized.with(Serdes.String(), Serdes.String()))));
  }
}
