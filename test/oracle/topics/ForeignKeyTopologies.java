import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/testing/foreign-key-topologies.ts. */
final class ForeignKeyTopologies {
  private ForeignKeyTopologies() {}

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
  }

  @SuppressWarnings("unchecked")
  private static KTable<String, String> versions(StreamsBuilder builder, String topic, int historyMs) {
    return builder.table(topic, (Materialized) Materialized.as(Stores.persistentVersionedKeyValueStore(topic + "-rows", Duration.ofMillis(historyMs))));
  }

  private static void show(KTable<String, String> table, String label) {
    table.toStream().mapValues(value -> label + " " + value).to("out");
  }

  /** One of k0, k1, k2 and none. */
  private static String foreignKey(String value) {
    int digit = value.charAt(value.length() - 1) - '0';
    return digit % 4 == 3 ? null : "k" + digit % 4;
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    Function<String, String> extractor = ForeignKeyTopologies::foreignKey;

    topologies.put("foreign-key-inner", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.join(right, extractor, (l, r) -> r.equals("v7") ? null : l + "+" + r), "inner");
    });

    topologies.put("foreign-key-left", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      show(left.leftJoin(right, extractor, (l, r) -> l + "?" + r), "left");
    });

    topologies.put("foreign-key-stored", builder -> {
      KTable<String, String> left = builder.table("a", as("left"));
      KTable<String, String> right = builder.<String, String>table("b").mapValues(value -> "m" + value, as("right"));
      KTable<String, String> inner = left.join(right, extractor, (l, r) -> l + "+" + r, TableJoined.as("named"), as("joined"));
      show(inner, "inner");
      show(inner.filter((key, value) -> value.compareTo("v5") < 0), "small");
      show(left.leftJoin(right, (key, value) -> key.equals("k1") ? null : foreignKey(value), (l, r) -> l + "?" + r, as("left-joined"))
          .filter((key, value) -> !value.contains("v1"), as("filtered")), "left");
    });

    topologies.put("foreign-key-computed", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> some = left.filter((key, value) -> value.compareTo("v7") < 0);
      KTable<String, String> right = builder.<String, String>stream("b").groupByKey()
          .reduce((aggregate, value) -> aggregate.length() > 6 ? null : aggregate + value);
      KTable<String, String> joined = some.join(right, extractor, (l, r) -> l + "+" + r);
      show(joined.leftJoin(left, (l, r) -> l + " of " + r), "again");
      left.toStream().join(joined, (l, r) -> l + "/" + r).to("out");
    });

    topologies.put("foreign-key-self", builder -> {
      KTable<String, String> table = builder.table("a");
      show(table.join(table, extractor, (l, r) -> l + "=" + r), "self");
      show(table.leftJoin(table, extractor, (l, r) -> l + "-" + r), "self left");
    });

    topologies.put("foreign-key-chained", builder -> {
      KTable<String, String> table = builder.table("a");
      KTable<String, String> right = builder.table("b");
      KTable<String, String> first = table.join(right, extractor, (l, r) -> l + r, Materialized.with(Serdes.String(), Serdes.String()));
      show(first.leftJoin(table, extractor, (l, r) -> l + "," + r), "second");
    });

    topologies.put("foreign-key-versioned", builder -> {
      KTable<String, String> left = versions(builder, "a", 100);
      KTable<String, String> right = versions(builder, "b", 80);
      show(left.join(right, extractor, (l, r) -> l + "+" + r), "inner");
      show(left.leftJoin(right, extractor, (l, r) -> l + "?" + r), "left");
    });

    topologies.put("foreign-key-partitioned", builder -> {
      KTable<String, String> left = builder.table("a");
      KTable<String, String> right = builder.table("b");
      TableJoined<String, String> joined = TableJoined.with(
          (topic, key, value, partitions) -> Optional.of(Set.of(0)), (topic, key, value, partitions) -> Optional.empty());
      show(left.join(right, extractor, (l, r) -> l + "+" + r, joined), "inner");
    });
  }
}
