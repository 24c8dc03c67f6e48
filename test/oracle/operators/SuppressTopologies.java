import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies of test/unit/process/operators/suppress-topologies.ts. */
final class SuppressTopologies {
  private SuppressTopologies() {}

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static KTable<String, String> table(StreamsBuilder builder, String topic) {
    return builder.table(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static KGroupedStream<String, String> grouped(StreamsBuilder builder) {
    return stream(builder, "a").groupByKey();
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static Duration ms(long ms) {
    return Duration.ofMillis(ms);
  }

  private static <V> void showWindows(KTable<Windowed<String>, V> table, String label) {
    table.toStream((key, value) -> key.key() + "@" + key.window().start() + "-" + key.window().end())
        .mapValues(value -> label + value)
        .to("out");
  }

  private static <V> void show(KTable<String, V> table, String label) {
    table.toStream().mapValues(value -> label + " " + value).to("out");
  }

  private static String append(String aggregate, String value) {
    return aggregate.length() > 12 ? null : aggregate + value;
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("suppress-windows", builder -> {
      KTable<Windowed<String>, String> table = grouped(builder)
          .windowedBy(TimeWindows.ofSizeAndGrace(ms(20), ms(10)).advanceBy(ms(8)))
          .reduce(SuppressTopologies::append);
      KTable<Windowed<String>, String> last = table.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()));
      showWindows(last, "");
      showWindows(last.filter((key, value) -> value.length() < 7), "short ");
      showWindows(
          table.filter((key, value) -> value.length() < 9).suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), "filtered ");
    });

    topologies.put("suppress-sliding", builder -> showWindows(
        grouped(builder).windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(5), ms(30))).count()
            .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(1000).shutDownWhenFull())), ""));

    topologies.put("suppress-sessions", builder -> showWindows(
        grouped(builder).windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(3), ms(10))).count()
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), ""));

    topologies.put("suppress-sessions-limited", builder -> showWindows(
        grouped(builder).windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(3), ms(10))).count()
            .suppress(Suppressed.untilTimeLimit(ms(15), BufferConfig.maxRecords(5))), ""));

    topologies.put("suppress-time-limit", builder -> {
      KTable<String, String> table = table(builder, "a");
      KTable<String, String> held = table.suppress(Suppressed.untilTimeLimit(ms(25), BufferConfig.unbounded()));
      show(held, "held");
      show(held.filter((key, value) -> value.compareTo("v5") < 0), "small");
      show(held.filter((key, value) -> value.compareTo("v5") < 0, as("kept")), "kept");
      show(held.suppress(Suppressed.untilTimeLimit(ms(10), BufferConfig.maxRecords(2))), "twice");
      show(table.suppress(Suppressed.untilTimeLimit(Duration.ZERO, BufferConfig.unbounded())), "at once");
    });

    topologies.put("suppress-records", builder -> {
      KTable<String, String> table = table(builder, "a");
      show(table.suppress(Suppressed.untilTimeLimit(ms(500), BufferConfig.maxRecords(2))), "two");
      show(table.suppress(Suppressed.untilTimeLimit(ms(500), BufferConfig.maxRecords(0))), "none");
    });

    topologies.put("suppress-counts", builder ->
        show(grouped(builder).count().suppress(Suppressed.untilTimeLimit(ms(500), BufferConfig.maxRecords(3))), "counts"));

    topologies.put("suppress-bytes", builder -> {
      KTable<String, String> table = table(builder, "a");
      for (int bytes = 30; bytes < 150; bytes += 9) {
        show(table.suppress(Suppressed.untilTimeLimit(ms(500), BufferConfig.maxBytes(bytes))), "bytes " + bytes);
      }
      show(table.suppress(Suppressed.untilTimeLimit(ms(500), BufferConfig.maxBytes(100).withMaxRecords(2))), "both");
    });

    topologies.put("suppress-joined", builder -> {
      KTable<String, String> held = table(builder, "a").suppress(Suppressed.untilTimeLimit(ms(40), BufferConfig.maxRecords(3)));
      stream(builder, "b").leftJoin(held, (left, right) -> left + "+" + right).to("out");
      stream(builder, "b").join(held.mapValues(value -> "m" + value), (left, right) -> left + "<" + right).to("out");
      KTable<String, String> other = stream(builder, "b").toTable();
      show(held.join(other, (left, right) -> left + "=" + right), "tables");
      show(held.leftJoin(other.filter((key, value) -> value.compareTo("v5") < 0), (left, right) -> left + "~" + right), "left");
    });
  }
}
