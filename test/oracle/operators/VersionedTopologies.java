import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/process/operators/versioned-topologies.ts. */
final class VersionedTopologies {
  private static final class Marking implements ValueTransformerWithKey<String, String, String> {
    @Override
    public void init(ProcessorContext context) {}

    @Override
    public String transform(String key, String value) {
      return value == null ? "none" : value.equals("v7") ? null : key + "!" + value;
    }

    @Override
    public void close() {}
  }

  private VersionedTopologies() {}

  private static <V> Materialized<String, V, ?> versioned(String name, int historyMs) {
    return Materialized.as(Stores.persistentVersionedKeyValueStore(name, Duration.ofMillis(historyMs)));
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static <V> Materialized kept(String name, int historyMs) {
    return versioned(name, historyMs);
  }

  @SuppressWarnings("unchecked")
  private static KTable<String, String> table(StreamsBuilder builder, String topic, int historyMs) {
    return builder.table(topic, kept(topic + "-rows", historyMs));
  }

  private static void show(KTable<String, String> table, String label) {
    table.toStream().mapValues(value -> label + " " + value).to("out");
  }

  private static boolean isSmall(String key, String value) {
    return value.compareTo("v5") < 0;
  }

  private static KStream<String, String> keyed(StreamsBuilder builder) {
    return builder.<String, String>stream("a").filter((key, value) -> key != null);
  }

  @SuppressWarnings("unchecked")
  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("versioned-table", builder -> {
      KTable<String, String> table = table(builder, "a", 20);
      show(table, "all");
      show(table.filter(VersionedTopologies::isSmall), "small");
      show(table.mapValues(value -> value.equals("v7") ? null : "m" + value), "mapped");
      show(table.transformValues(Marking::new), "transformed");
      show(table.filter(VersionedTopologies::isSmall, Materialized.as("unversioned")), "unversioned");
      show(table.filter(VersionedTopologies::isSmall, Materialized.with(Serdes.String(), Serdes.String())), "with");
      show(table.filter(VersionedTopologies::isSmall, kept("small", 12)), "kept");
      show(table.mapValues(value -> value.equals("v3") ? null : "n" + value, kept("mapped", 25)), "kept");
      show(table.transformValues(Marking::new, kept("transformed", 5)), "kept");
      show(table.mapValues(value -> "o" + value).filterNot((key, value) -> value.equals("ov2")), "both");
    });

    topologies.put("versioned-no-history", builder -> {
      KTable<String, String> table = table(builder, "a", 0);
      show(table, "all");
      show(table.filter(VersionedTopologies::isSmall), "small");
    });

    topologies.put("versioned-table-join", builder -> {
      KTable<String, String> left = table(builder, "a", 25);
      KTable<String, String> right = table(builder, "b", 15);
      KTable<String, String> plain = right.filter((key, value) -> true, Materialized.with(Serdes.String(), Serdes.String()));
      show(left.join(right, (l, r) -> l + "+" + r), "inner");
      show(left.leftJoin(right, (l, r) -> l + "+" + r), "left");
      show(left.outerJoin(right, (l, r) -> l + "+" + r), "outer");
      show(left.filter(VersionedTopologies::isSmall).outerJoin(right.mapValues(value -> "m" + value), (l, r) -> l + "-" + r), "computed");
      show(plain.join(left, (l, r) -> l + "=" + r), "plain");
      KTable<String, String> stored = left.join(right, (l, r) -> l + "|" + r, kept("joined", 10));
      show(stored.filter((key, value) -> !value.contains("v1")), "stored");
      left.toStream().leftJoin(stored, (l, r) -> l + "/" + r).to("out");
      KTable<String, String> both = left.outerJoin(right, (l, r) -> l + "&" + r);
      show(both.filter((key, value) -> !value.contains("v2")), "unversioned");
      left.toStream().join(both, (l, r) -> l + "~" + r).to("out");
    });

    topologies.put("versioned-aggregates", builder -> {
      KTable<String, Long> counts = builder.<String, String>stream("a").groupByKey().count(kept("counts", 10));
      KTable<String, String> reduced = builder.<String, String>stream("b").groupByKey()
          .reduce((aggregate, value) -> aggregate.length() > 4 ? null : aggregate + value, kept("reduced", 8));
      KTable<String, String> aggregated = builder.<String, String>stream("a").groupByKey()
          .aggregate(() -> "i", (key, value, aggregate) -> aggregate.length() > 4 ? null : aggregate + value, kept("aggregated", 18));
      show(counts.mapValues(String::valueOf), "count");
      show(reduced, "reduced");
      show(reduced.filter((key, value) -> value.length() < 5), "short");
      show(aggregated, "aggregated");
      show(aggregated.filter((key, value) -> value.length() < 4), "short");
      show(reduced.outerJoin(aggregated, (l, r) -> l + "+" + r), "joined");
    });

    topologies.put("versioned-to-table", builder -> {
      KTable<String, String> table = builder.<String, String>stream("a").mapValues(value -> value == null ? null : "m" + value)
          .toTable(kept("rows", 12));
      show(table.filter((key, value) -> value.compareTo("mv5") < 0), "small");
    });

    topologies.put("versioned-stream-join", builder -> {
      KTable<String, String> table = table(builder, "b", 30);
      builder.<String, String>stream("a").join(table, (l, r) -> l + "+" + r).to("out");
      builder.<String, String>stream("a").leftJoin(table, (l, r) -> l + "?" + r).to("out");
      builder.<String, String>stream("a")
          .leftJoin(table.filter(VersionedTopologies::isSmall).mapValues(value -> "m" + value), (l, r) -> l + "<" + r).to("out");
      builder.<String, String>stream("a").leftJoin(table.transformValues(Marking::new), (l, r) -> l + "!" + r).to("out");
    });

    for (int grace : new int[] {0, 6, 30}) {
      topologies.put("versioned-grace-" + grace, builder -> {
        KTable<String, String> table = table(builder, "b", 30);
        Joined<String, String, String> joined = Joined.<String, String, String>as("named").withGracePeriod(Duration.ofMillis(grace));
        builder.<String, String>stream("a").join(table, (l, r) -> l + "+" + r, joined).to("out");
        keyed(builder).leftJoin(table.filter(VersionedTopologies::isSmall), (key, l, r) -> key + ":" + l + "?" + r,
            Joined.with(Serdes.String(), Serdes.String(), Serdes.String(), null, Duration.ofMillis(grace))).to("out");
      });
    }
  }
}
