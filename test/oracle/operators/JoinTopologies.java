import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies of test/unit/process/operators/join-topologies.ts. */
final class JoinTopologies {
  private JoinTopologies() {}

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static void show(KTable<String, String> table, String label) {
    table.toStream().mapValues(value -> label + " " + value).to("out");
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("table-join", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.join(right, (l, r) -> l + "+" + r), "inner");
      show(left.leftJoin(right, (l, r) -> l + "+" + r), "left");
      show(left.outerJoin(right, (l, r) -> l + "+" + r), "outer");
      show(left.join(left, (l, r) -> l + "=" + r), "self");
    });

    topologies.put("table-join-unread", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.join(right, (l, r) -> r.equals("v7") ? null : l + "+" + r), "inner");
    });

    topologies.put("table-join-stored", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      KTable<String, String> inner = left.join(right, (l, r) -> r.equals("v7") ? null : l + "+" + r, as("inner"));
      KTable<String, String> outer = left.outerJoin(right, (l, r) -> l + "-" + r, as("outer"));
      show(inner, "inner");
      show(inner.filter((key, value) -> value.compareTo("v5") < 0), "small");
      show(outer.filter((key, value) -> value.compareTo("v5") < 0, as("small-outer")), "small outer");
      left.toStream().join(inner, (l, r) -> "stream " + l + "/" + r).to("out");
    });

    topologies.put("table-join-computed", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      KTable<String, String> some = left.mapValues(value -> value.equals("v3") ? null : "m" + value);
      KTable<String, String> few = right.filter((key, value) -> value.compareTo("v5") < 0);
      KTable<String, String> joined = some.leftJoin(few, (l, r) -> l + "+" + r);
      KTable<String, String> both = some.outerJoin(few, (l, r) -> l + "|" + r);
      show(joined.filter((key, value) -> !value.contains("v1")), "joined");
      show(both.filter((key, value) -> !value.contains("v2")), "both");
      show(joined.join(both, (l, r) -> l + " and " + r), "nested");
      KStream<String, String> stream = left.toStream();
      stream.leftJoin(both, (l, r) -> "stream " + l + "/" + r).to("out");
      stream.join(joined, (l, r) -> "inner stream " + l + "/" + r).to("out");
    });

    topologies.put("table-join-aggregates", builder -> {
      KTable<String, Long> left = builder.<String, String>stream("a").groupByKey().count();
      KTable<String, String> right = builder.<String, String>stream("b").groupByKey()
          .reduce((aggregate, value) -> aggregate.length() > 8 ? null : aggregate + value);
      show(left.join(right, (l, r) -> l + "+" + r), "inner");
      show(left.outerJoin(right, (l, r) -> l + "+" + r).filter((key, value) -> value.length() < 8), "outer");
    });
  }
}
