import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.UUID;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalType;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;
import org.apache.avro.util.RandomData;

/**
 * What Java's Avro makes of schemas and bytes. Each line of standard input is a request, each of standard output its answer, both JSON:
 *
 * <ul>
 *   <li>{@code {op: "encode", schema, json}}: Avro's JSON of a value, to {@code {hex}}
 *   <li>{@code {op: "decode", writer, reader, hex}}: to {@code {hex, json}}, written anew with the reader's schema
 *   <li>{@code {op: "random", schema, seed, count}}: to {@code {hexes}}
 *   <li>{@code {op: "toLogical", schema, hex}} and {@code {op: "fromLogical", schema, text}}: a value of a logical type, by Avro's own conversions
 * </ul>
 *
 * What Java refuses is answered with {@code {error}}.
 */
public final class AvroPeer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final GenericData LOGICAL = new GenericData();

  static {
    LOGICAL.addLogicalTypeConversion(new Conversions.DecimalConversion());
    LOGICAL.addLogicalTypeConversion(new Conversions.UUIDConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.DateConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.TimeMillisConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.TimeMicrosConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampNanosConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampMillisConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampMicrosConversion());
    LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampNanosConversion());
  }

  private AvroPeer() {}

  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        answer(JSON.readTree(line), answer);
      } catch (Exception | StackOverflowError error) {
        answer.removeAll();
        answer.put("error", error.toString());
      }
      out.println(JSON.writeValueAsString(answer));
      out.flush();
    }
  }

  private static void answer(JsonNode request, ObjectNode answer) throws IOException {
    switch (request.get("op").asText()) {
      case "encode" -> {
        Schema schema = schema(request.get("schema"));
        Object value =
            new GenericDatumReader<>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, request.get("json").toString()));
        answer.put("hex", hex(schema, value, GenericData.get()));
      }
      case "decode" -> {
        Schema reader = schema(request.get("reader"));
        Object value = read(schema(request.get("writer")), reader, request.get("hex").asText(), GenericData.get());
        answer.put("hex", hex(reader, value, GenericData.get()));
        answer.set("json", json(reader, value));
      }
      case "random" -> {
        Schema schema = schema(request.get("schema"));
        ArrayNode hexes = answer.putArray("hexes");
        for (Object value : new RandomData(schema, request.get("count").asInt(), request.get("seed").asLong()))
          hexes.add(hex(schema, value, GenericData.get()));
      }
      case "toLogical" -> {
        Schema schema = schema(request.get("schema"));
        answer.put("text", text(read(schema, schema, request.get("hex").asText(), LOGICAL)));
      }
      case "fromLogical" -> {
        Schema schema = schema(request.get("schema"));
        answer.put("hex", hex(schema, fromText(schema.getLogicalType(), request.get("text").asText()), LOGICAL));
      }
      default -> throw new IllegalArgumentException("no operation " + request.get("op"));
    }
  }

  private static Schema schema(JsonNode json) {
    return new Schema.Parser().parse(json.toString());
  }

  private static Object read(Schema writer, Schema reader, String hex, GenericData data) throws IOException {
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(HexFormat.of().parseHex(hex), null);
    Object value = new GenericDatumReader<>(writer, reader, data).read(null, decoder);
    if (!decoder.isEnd()) throw new IOException("bytes are left over");
    return value;
  }

  private static String hex(Schema schema, Object value, GenericData data) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<>(schema, data).write(value, encoder);
    encoder.flush();
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  private static JsonNode json(Schema schema, Object value) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(schema, bytes);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    return JSON.readTree(bytes.toString(StandardCharsets.UTF_8));
  }

  private static String text(Object value) {
    return value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
  }

  private static Object fromText(LogicalType type, String text) {
    return switch (type.getName()) {
      case "decimal" -> new BigDecimal(text);
      case "uuid" -> UUID.fromString(text);
      case "date" -> LocalDate.parse(text);
      case "time-millis", "time-micros" -> LocalTime.parse(text);
      case "timestamp-millis", "timestamp-micros", "timestamp-nanos" -> Instant.parse(text);
      case "local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos" ->
          LocalDateTime.ofInstant(Instant.parse(text), ZoneOffset.UTC);
      default -> throw new IllegalArgumentException("no logical type " + type.getName());
    };
  }
}
