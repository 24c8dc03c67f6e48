import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/topology/described-tables.ts. */
final class DescribeTables {
  private DescribeTables() {}

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static KTable<String, String> table(StreamsBuilder builder, String topic) {
    return builder.table(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> versioned(String name) {
    return ((Materialized) Materialized.as(Stores.persistentVersionedKeyValueStore(name, Duration.ofMinutes(10))))
        .withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("versioned-tables", builder -> {
      KTable<String, String> table = builder.table("rows", Consumed.with(Serdes.String(), Serdes.String()), versioned("versions"));
      Joined<String, String, String> grace = Joined.with(Serdes.String(), Serdes.String(), Serdes.String(), null, Duration.ofMinutes(1));
      stream(builder, "a").join(table, (l, r) -> l, grace).to("one");
      stream(builder, "a").selectKey((key, value) -> value).leftJoin(table.filter((key, value) -> true), (l, r) -> l, grace.withName("late")).to("two");
      table.mapValues(value -> value, versioned("mapped")).toStream().to("three");
      stream(builder, "b").groupByKey().reduce((one, two) -> two, versioned("reduced")).join(table, (l, r) -> l, versioned("joined")).toStream().to("four");
    });

    topologies.accept("foreign-key-joins", builder -> {
      KTable<String, String> left = table(builder, "left");
      KTable<String, String> right = table(builder, "right");
      left.join(right, value -> value, (l, r) -> l).toStream().to("one");
      left.leftJoin(right, (key, value) -> value, (l, r) -> l, as("kept")).toStream().to("two");
      left.join(right, value -> value, (l, r) -> l, TableJoined.as("named")).filter((key, value) -> true).toStream().to("three");
      left.leftJoin(right.filter((key, value) -> true), value -> value, (l, r) -> l, TableJoined.as("both"), as("stored"))
          .toStream().to("four");
    });

    topologies.accept("global-tables", builder -> {
      stream(builder, "first").to("zero");
      GlobalKTable<String, String> table = builder.globalTable("rows", Consumed.with(Serdes.String(), Serdes.String()));
      GlobalKTable<String, String> named = builder.globalTable("people", Consumed.with(Serdes.String(), Serdes.String()).withName("people"), as("stored"));
      stream(builder, "a").join(table, (key, value) -> value, (l, r) -> l).leftJoin(named, (key, value) -> key, (l, r) -> l, Named.as("left"))
          .groupByKey().count().toStream().to("one");
      builder.addGlobalStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("own"), Serdes.String(), Serdes.String()), "more",
          Consumed.with(Serdes.String(), Serdes.String()), () -> new ContextualProcessor<String, String, Void, Void>() {
            @Override
            public void process(Record<String, String> record) {}
          });
      stream(builder, "b").selectKey((key, value) -> value).join(table, (key, value) -> key, (l, r) -> l).groupByKey().count().toStream().to("two");
    });

    topologies.accept("foreign-key-joins-chained", builder -> {
      KTable<String, String> left = table(builder, "left");
      KTable<String, String> joined = left.join(table(builder, "right"), value -> value, (l, r) -> l, Materialized.with(Serdes.String(), Serdes.String()));
      joined.leftJoin(stream(builder, "a").selectKey((key, value) -> value).groupByKey().reduce((one, two) -> two), value -> value, (l, r) -> l)
          .toStream().to("one");
      left.join(left, value -> value, (l, r) -> l).toStream().to("two");
      stream(builder, "b").join(joined, (l, r) -> l).to("three");
    });
  }
}
