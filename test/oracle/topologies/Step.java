import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** What a step gives: a stream, a table, a global one or a grouping, and the type of its values. */
record Node(Object dsl, String type) {
  @SuppressWarnings("unchecked")
  KStream<String, Object> stream() {
    return (KStream<String, Object>) dsl;
  }

  @SuppressWarnings("unchecked")
  KTable<String, Object> table() {
    return (KTable<String, Object>) dsl;
  }

  @SuppressWarnings("unchecked")
  GlobalKTable<String, Object> global() {
    return (GlobalKTable<String, Object>) dsl;
  }

  @SuppressWarnings("unchecked")
  KGroupedStream<String, Object> grouped() {
    return (KGroupedStream<String, Object>) dsl;
  }

  Serde<Object> serde() {
    return Functions.serdeOf(type);
  }
}

/** One step: what it is made of, and its parameters. */
record Step(JsonNode json, List<Node> in, StreamsBuilder builder) {
  int n() {
    return json.get("n").asInt();
  }

  String text(String field) {
    return json.get(field).asText();
  }

  Serde<Object> serde() {
    return Functions.serdeOf(text("type"));
  }

  Node a() {
    return in.get(0);
  }

  Node b() {
    return in.get(1);
  }

  /** `none`, `with` (serdes alone), `as` (a name as well) or `memory` (that name, in memory), `versioned` (that name, with a history). */
  String store() {
    return text("store");
  }

  /** As historyMs in description.ts. */
  long historyMs() {
    return new long[] {30, 100, 1000}[n() % 3];
  }

  @SuppressWarnings("unchecked")
  Materialized<String, Object, KeyValueStore<Bytes, byte[]>> materialized() {
    Materialized<String, Object, KeyValueStore<Bytes, byte[]>> rows = switch (store()) {
      case "as" -> Materialized.as(text("storeName"));
      case "memory" -> Materialized.as(Stores.inMemoryKeyValueStore(text("storeName")));
      case "versioned" -> (Materialized) Materialized.<String, Object>as(
          Stores.persistentVersionedKeyValueStore(text("storeName"), Duration.ofMillis(historyMs())));
      default -> Materialized.with(Serdes.String(), serde());
    };
    return rows.withKeySerde(Serdes.String()).withValueSerde(serde());
  }

  Materialized<String, Object, WindowStore<Bytes, byte[]>> windows() {
    return segmented();
  }

  Materialized<String, Object, SessionStore<Bytes, byte[]>> sessions() {
    return segmented();
  }

  private <S extends StateStore> Materialized<String, Object, S> segmented() {
    Materialized<String, Object, S> rows =
        store().equals("with") ? Materialized.with(Serdes.String(), serde()) : Materialized.as(text("storeName"));
    if (store().equals("memory")) rows = rows.withStoreType(BuiltInDslStoreSuppliers.IN_MEMORY);
    return rows.withKeySerde(Serdes.String()).withValueSerde(serde());
  }
}

interface Operator {
  /** @return a KStream, KTable, GlobalKTable or KGroupedStream; null for the end of a stream */
  Object build(Step step);
}
