import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** The topologies of test/unit/testing/pattern-topologies.ts. */
final class PatternTopologies {
  /** Adds the topic that a record comes from, and its offset. */
  private static final class Placing extends ContextualFixedKeyProcessor<String, String, String> {
    @Override
    public void process(FixedKeyRecord<String, String> record) {
      String place = context().recordMetadata().map(from -> from.topic() + "@" + from.offset()).orElse("nowhere");
      context().forward(record.withValue(record.value() + " " + place));
    }
  }

  private PatternTopologies() {}

  private static KStream<String, String> matching(StreamsBuilder builder, String pattern) {
    return builder.stream(Pattern.compile(pattern));
  }

  static void addTo(Map<String, Consumer<StreamsBuilder>> topologies) {
    topologies.put("pattern", builder -> matching(builder, "[a]|[b]").processValues(Placing::new).to("out"));

    topologies.put("pattern-beside-topic", builder -> {
      KStream<String, String> named = builder.stream("a");
      named.merge(matching(builder, "[b]|c.*")).groupByKey().count().toStream().mapValues(String::valueOf).to("out");
    });

    topologies.put("pattern-repartitioned", builder -> matching(builder, "[a]|[b]").filter((key, value) -> value != null)
        .selectKey((key, value) -> value).groupByKey().count().toStream().mapValues(String::valueOf).to("out"));

    topologies.put("pattern-joined", builder -> {
      builder.<String, String>stream("a").leftJoin(matching(builder, "[b]|c").toTable(), (l, r) -> l + "+" + r).to("out");
    });

    topologies.put("pattern-written", builder -> {
      builder.<String, String>stream("a").to("made");
      matching(builder, "[b]|made").processValues(Placing::new).to("out");
    });
  }
}
