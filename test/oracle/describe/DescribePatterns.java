import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;

/** The topologies of test/unit/topology/described-patterns.ts. */
final class DescribePatterns {
  private DescribePatterns() {}

  private static Consumed<String, String> text() {
    return Consumed.with(Serdes.String(), Serdes.String());
  }

  private static KStream<String, String> matching(StreamsBuilder builder, String pattern) {
    return builder.stream(Pattern.compile(pattern), text());
  }

  static void addTo(BiConsumer<String, Consumer<StreamsBuilder>> topologies) {
    topologies.accept("pattern", builder -> matching(builder, "topic-\\d").filter((key, value) -> true).to("out"));

    topologies.accept("patterns-beside-topics", builder -> {
      KStream<String, String> one = matching(builder, "one-.+");
      KStream<String, String> named = builder.stream(List.of("b", "a"), text());
      KStream<String, String> two = builder.stream(Pattern.compile("(two|three)\\.[a-z]{2,}"),
          text().withOffsetResetPolicy(AutoOffsetReset.latest()).withName("later"));
      one.merge(named).merge(two).groupByKey().count().toStream();
      matching(builder, "apart.*").to("out");
    });

    topologies.accept("pattern-twice", builder -> {
      matching(builder, "t.*").to("one");
      matching(builder, "t.*").mapValues(value -> value).to("two");
      matching(builder, "u.*").to("three");
    });

    topologies.accept("pattern-repartitioned", builder ->
        matching(builder, "t.*").selectKey((key, value) -> value).groupByKey().count().toStream());

    topologies.accept("pattern-joined", builder -> {
      KStream<String, String> stream = matching(builder, "t.*");
      stream.join(builder.table("rows", text()), (l, r) -> l).to("one");
      stream.join(matching(builder, "u.*"), (l, r) -> l, JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(1))).to("two");
    });
  }
}
