import java.time.Duration;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Printed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.TopicNameExtractor;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The topologies of test/unit/topology/described-joins.ts. */
final class DescribeJoins {
  private static final JoinWindows WINDOWS =
      JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMinutes(5), Duration.ofMinutes(1));

  private DescribeJoins() {}

  private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static KTable<String, String> table(StreamsBuilder builder, String topic) {
    return builder.table(topic, Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> as(String name) {
    return Materialized.as(name);
  }

  private static ValueTransformerWithKey<String, String, String> transformer() {
    return new ValueTransformerWithKey<>() {
      @Override
      public void init(ProcessorContext context) {}

      @Override
      public String transform(String key, String value) {
        return value;
      }

      @Override
      public void close() {}
    };
  }

  private static StreamJoined<String, String, String> joined() {
    return StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String());
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("split", builder -> {
      Map<String, KStream<String, String>> branches = stream(builder, "a").split()
          .branch((key, value) -> true)
          .branch((key, value) -> true, Branched.as("-named"))
          .defaultBranch();
      branches.get("KSTREAM-BRANCH-00000000011").to("one");
      branches.get("KSTREAM-BRANCH-0000000001-named").mapValues(value -> value).to("two");
      branches.get("KSTREAM-BRANCH-00000000010").to("rest");
      stream(builder, "b").split(Named.as("parted-")).branch((key, value) -> true, Branched.as("only")).noDefaultBranch()
          .get("parted-only").to("only");
    });

    topologies.accept("print", builder -> {
      stream(builder, "a").print(Printed.toSysOut());
      stream(builder, "a").filter((key, value) -> true).print(Printed.<String, String>toSysOut().withName("printer"));
    });

    topologies.accept("topic-chooser", builder -> {
      TopicNameExtractor<String, String> chooser = new TopicNameExtractor<>() {
        @Override
        public String extract(String key, String value, RecordContext context) {
          return value;
        }

        @Override
        public String toString() {
          return "byValue";
        }
      };
      stream(builder, "a").to(chooser);
      stream(builder, "a").to(chooser, Produced.as("named"));
    });

    topologies.accept("transform-values", builder -> {
      builder.addStateStore(Stores.keyValueStoreBuilder(
          Stores.persistentKeyValueStore("used"), Serdes.String(), Serdes.String()));
      KTable<String, String> table = table(builder, "rows");
      table.transformValues(DescribeJoins::transformer, "used").toStream().to("one");
      table.transformValues(DescribeJoins::transformer, as("kept"), Named.as("named"), "used").toStream().to("two");
      stream(builder, "a").join(table.transformValues(DescribeJoins::transformer), (l, r) -> l).to("three");
      table.transformValues(DescribeJoins::transformer, Materialized.with(Serdes.String(), Serdes.String()))
          .filter((key, value) -> true).toStream().to("four");
    });

    topologies.accept("to-table", builder -> {
      stream(builder, "a").toTable().toStream().to("unread");
      stream(builder, "b").toTable(as("kept")).filter((key, value) -> true).toStream().to("kept-out");
      KTable<String, String> rekeyed = stream(builder, "c").selectKey((key, value) -> value).toTable(Named.as("rekeyed"));
      KTable<String, String> other = stream(builder, "d").map(KeyValue::pair).toTable();
      rekeyed.join(other, (l, r) -> l).toStream().to("joined");
    });

    topologies.accept("table-joins", builder -> {
      KTable<String, String> left = table(builder, "left");
      KTable<String, String> right = table(builder, "right");
      KTable<String, String> inner = left.join(right, (l, r) -> l);
      left.leftJoin(right, (l, r) -> l).toStream().to("left-out");
      left.outerJoin(right, (l, r) -> l, as("outer")).toStream().to("outer-out");
      inner.filter((key, value) -> true).toStream().to("filtered");
      stream(builder, "stream").join(inner, (l, r) -> l).to("stream-out");
    });

    topologies.accept("table-joins-named", builder -> {
      KTable<String, String> left = table(builder, "left");
      KTable<String, String> right = table(builder, "right");
      left.join(right, (l, r) -> l, Named.as("together")).toStream().to("one");
      left.leftJoin(right, (l, r) -> l, Materialized.with(Serdes.String(), Serdes.String())).toStream().to("two");
      left.outerJoin(right.mapValues(value -> value), (l, r) -> l, Named.as("both"), as("kept"))
          .join(left, (l, r) -> l).toStream().to("three");
      left.join(left, (l, r) -> l).toStream().to("four");
    });

    topologies.accept("stream-joins", builder -> {
      KStream<String, String> left = stream(builder, "left");
      KStream<String, String> right = stream(builder, "right");
      left.join(right, (l, r) -> l, WINDOWS, joined()).to("inner");
      left.leftJoin(right, (l, r) -> l, WINDOWS, joined()).to("left-out");
      left.outerJoin(right, (l, r) -> l, WINDOWS, joined()).to("outer");
    });

    topologies.accept("stream-joins-named", builder -> {
      KStream<String, String> left = stream(builder, "left");
      KStream<String, String> right = stream(builder, "right");
      left.join(right, (l, r) -> l, WINDOWS, joined().withName("met")).to("one");
      left.leftJoin(right, (l, r) -> l, WINDOWS, joined().withStoreName("kept")).to("two");
      left.outerJoin(right, (l, r) -> l, WINDOWS, joined().withName("both").withStoreName("all")).to("three");
      left.leftJoin(right, (l, r) -> l, WINDOWS, joined().withName("named")).to("four");
      left.mapValues(value -> value).to("five");
    });

    topologies.accept("stream-joins-repartitioned", builder -> {
      KStream<String, String> left = stream(builder, "left").selectKey((key, value) -> value);
      KStream<String, String> right = stream(builder, "right").map(KeyValue::pair);
      left.join(right, (l, r) -> l, WINDOWS, joined()).to("inner");
      left.leftJoin(right, (l, r) -> l, WINDOWS, joined()).to("left-out");
      left.outerJoin(right, (l, r) -> l, WINDOWS, joined().withName("named")).to("outer");
      stream(builder, "third").join(right, (l, r) -> l, WINDOWS, joined()).groupByKey().count().toStream().to("counts");
    });

    topologies.accept("stream-join-self", builder -> {
      KStream<String, String> stream = stream(builder, "a");
      stream.join(stream, (l, r) -> l, WINDOWS, joined()).to("one");
      stream.outerJoin(stream(builder, "a"), (l, r) -> l, WINDOWS, joined()).to("two");
    });

    topologies.accept("joins-chained", builder -> {
      KTable<String, Long> counts = stream(builder, "counted").groupByKey().count();
      stream(builder, "left")
          .leftJoin(stream(builder, "right"), (l, r) -> l, WINDOWS, joined())
          .join(counts, (l, r) -> l + r)
          .outerJoin(stream(builder, "third"), (l, r) -> l, WINDOWS, joined())
          .leftJoin(table(builder, "rows").join(counts, (l, r) -> l + r), (l, r) -> l)
          .to("out");
    });
  }
}
