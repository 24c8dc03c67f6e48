import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.Map;
import org.everit.json.schema.Schema;
import org.everit.json.schema.ValidationException;
import org.everit.json.schema.loader.SchemaLoader;
import org.json.JSONObject;
import org.json.JSONTokener;

/**
 * JSON in Confluent's wire format (0x00, the schema's id(4), the JSON), with the libraries that Confluent's serializers are made of: Jackson reads and writes,
 * Everit checks.
 *
 * <ul>
 *   <li>{@code {op: "write", id, json}}: a JSON value, to {@code {hex}}
 *   <li>{@code {op: "read", hex}}: to {@code {id, text}}, written anew
 *   <li>{@code {op: "check", schema, references, texts}}: to {@code {valid}}, for each JSON text whether it fits the schema, of draft 7
 * </ul>
 */
public final class JsonSchemaPeer {
  private JsonSchemaPeer() {}

  public static void main(String[] arguments) throws IOException {
    Peer.run(JsonSchemaPeer::answer);
  }

  private static void answer(JsonNode request, ObjectNode answer) throws Exception {
    switch (request.get("op").asText()) {
      case "write" -> {
        byte[] json = Peer.JSON.writeValueAsBytes(request.get("json"));
        ByteBuffer bytes = ByteBuffer.allocate(5 + json.length);
        bytes.put((byte) 0).putInt(request.get("id").asInt()).put(json);
        answer.put("hex", Peer.hex(bytes.array()));
      }
      case "read" -> {
        ByteBuffer bytes = Peer.unframed(request.get("hex").asText());
        answer.put("id", bytes.getInt());
        byte[] json = new byte[bytes.remaining()];
        bytes.get(json);
        answer.put("text", Peer.JSON.writeValueAsString(Peer.JSON.readTree(json)));
      }
      case "check" -> {
        SchemaLoader.SchemaLoaderBuilder builder = SchemaLoader.builder().draftV7Support();
        Iterator<Map.Entry<String, JsonNode>> references = request.get("references").fields();
        while (references.hasNext()) {
          Map.Entry<String, JsonNode> one = references.next();
          builder.registerSchemaByURI(new URI(one.getKey()), new JSONObject(one.getValue().toString()));
        }
        Schema schema = builder.schemaJson(new JSONObject(request.get("schema").toString())).build().load().build();
        var valid = answer.putArray("valid");
        for (JsonNode text : request.get("texts")) valid.add(fits(schema, text.asText()));
      }
      default -> throw new IllegalArgumentException("no operation " + request.get("op"));
    }
  }

  private static boolean fits(Schema schema, String text) {
    try {
      schema.validate(new JSONTokener(text).nextValue());
      return true;
    } catch (ValidationException error) {
      return false;
    }
  }
}
