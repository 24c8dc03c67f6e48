import java.time.Duration;
import java.util.Map;
import java.util.function.BiFunction;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.Stores;

/** Joins by foreign key, to versioned tables with a grace, and to global tables: as in table-join-operators.ts. */
final class TableJoinOperators extends Functions {
  private TableJoinOperators() {}

  static void addTo(Map<String, Operator> operators) {
    operators.put("foreignKeyJoin", s -> {
      KTable<String, Object> left = s.a().table();
      KTable<String, Object> right = s.b().table();
      return s.store().equals("none")
          ? left.join(right, foreignKey(s), joiner(s), tableJoined(s))
          : left.join(right, foreignKey(s), joiner(s), tableJoined(s), s.materialized());
    });
    operators.put("foreignKeyLeftJoin", s -> {
      KTable<String, Object> left = s.a().table();
      KTable<String, Object> right = s.b().table();
      return s.store().equals("none")
          ? left.leftJoin(right, foreignKey(s), joiner(s), tableJoined(s))
          : left.leftJoin(right, foreignKey(s), joiner(s), tableJoined(s), s.materialized());
    });
    operators.put("graceJoin", s -> s.a().stream().join(s.b().table(),
        (k, left, right) -> joined(s.n(), left, right, k), graceJoined(s)));
    // Kafka Streams fails for a record without a key.
    operators.put("graceLeftJoin", s -> s.a().stream().filter((k, v) -> k != null).leftJoin(s.b().table(),
        (k, left, right) -> joined(s.n(), left, right, k), graceJoined(s)));
    operators.put("globalTable", s -> {
      Consumed<String, Object> consumed = Consumed.with(Serdes.String(), s.serde());
      return switch (s.store()) {
        case "as" -> s.builder().globalTable(s.text("topic"), consumed, Materialized.as(s.text("storeName")));
        case "memory" -> s.builder().globalTable(
            s.text("topic"), consumed, Materialized.as(Stores.inMemoryKeyValueStore(s.text("storeName"))));
        default -> s.builder().globalTable(s.text("topic"), consumed);
      };
    });
    operators.put("globalJoin", s -> s.a().stream().join(s.b().global(), selector(s),
        (k, left, right) -> joined(s.n(), left, right, k)));
    operators.put("globalLeftJoin", s -> s.a().stream().leftJoin(s.b().global(), selector(s),
        (k, left, right) -> joined(s.n(), left, right, k)));
  }

  private static BiFunction<String, Object, String> foreignKey(Step s) {
    return (key, value) -> newKey(s.n(), s.n() % 2 == 0 ? key : "", value);
  }

  private static KeyValueMapper<String, Object, String> selector(Step s) {
    return (key, value) -> newKey(s.n(), s.n() % 2 == 0 ? key : "", value);
  }

  private static ValueJoiner<Object, Object, Object> joiner(Step s) {
    return (left, right) -> joined(s.n(), left, right, "f");
  }

  private static TableJoined<String, String> tableJoined(Step s) {
    return TableJoined.as(s.n() > 4 ? "foreign-" + s.text("storeName") : null);
  }

  private static Joined<String, Object, Object> graceJoined(Step s) {
    Duration grace = Duration.ofMillis(new long[] {0, 20, 80}[s.n() % 3]);
    return Joined.with(Serdes.String(), s.a().serde(), null, s.n() > 4 ? "grace-" + s.text("storeName") : null, grace);
  }
}
