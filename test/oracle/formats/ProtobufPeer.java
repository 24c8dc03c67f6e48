import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.util.JsonFormat;
import io.apicurio.registry.utils.protobuf.schema.FileDescriptorUtils;
import io.apicurio.registry.utils.protobuf.schema.FileDescriptorUtils.ProtobufSchemaContent;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What Java's Protocol Buffers make of .proto files and of bytes in Confluent's wire format, which is written and read here as it is documented: 0x00, the
 * schema's id(4), the indexes of the message as zigzag varints behind their count (a single 0 for the first message), the message.
 *
 * <ul>
 *   <li>{@code {op: "encode", schema, references, message, id, json}}: Protobuf's JSON of a message, to {@code {hex}}
 *   <li>{@code {op: "decode", schema, references, hex}}: to {@code {id, message, json, hex}}, written anew
 *   <li>{@code {op: "random", schema, references, message, id, seed, count}}: to {@code {hexes}}
 * </ul>
 *
 * A file and its imports are texts; {@code references} has those by their names.
 */
public final class ProtobufPeer {
  private static final Map<JsonNode, FileDescriptor> FILES = new HashMap<>();

  private ProtobufPeer() {}

  public static void main(String[] arguments) throws IOException {
    Peer.run(ProtobufPeer::answer);
  }

  private static void answer(JsonNode request, ObjectNode answer) throws Exception {
    FileDescriptor file = file(request);
    switch (request.get("op").asText()) {
      case "encode" -> {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(named(file, request));
        JsonFormat.parser().merge(request.get("json").toString(), builder);
        answer.put("hex", framed(request.get("id").asInt(), builder.build()));
      }
      case "decode" -> {
        ByteBuffer bytes = Peer.unframed(request.get("hex").asText());
        int id = bytes.getInt();
        Descriptor type = indexed(file, bytes);
        byte[] rest = new byte[bytes.remaining()];
        bytes.get(rest);
        DynamicMessage message = DynamicMessage.parseFrom(type, rest);
        answer.put("id", id);
        answer.put("message", type.getFullName());
        JsonFormat.Printer printer = JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();
        answer.set("json", Peer.JSON.readTree(printer.print(message)));
        answer.put("hex", framed(id, message));
      }
      case "random" -> {
        Descriptor type = named(file, request);
        RandomMessages messages = new RandomMessages(new Random(request.get("seed").asLong()));
        ArrayNode hexes = answer.putArray("hexes");
        for (int left = request.get("count").asInt(); left > 0; left--)
          hexes.add(framed(request.get("id").asInt(), messages.next(type)));
      }
      default -> throw new IllegalArgumentException("no operation " + request.get("op"));
    }
  }

  private static FileDescriptor file(JsonNode request) throws Exception {
    JsonNode key = Peer.JSON.createArrayNode().add(request.get("schema")).add(request.get("references"));
    FileDescriptor known = FILES.get(key);
    if (known != null) return known;
    List<ProtobufSchemaContent> references = new ArrayList<>();
    request
        .get("references")
        .fields()
        .forEachRemaining(
            entry -> {
              // The parser puts a file into the folders of its package: those that its name has.
              String name = entry.getKey().substring(entry.getKey().lastIndexOf('/') + 1);
              references.add(ProtobufSchemaContent.of(name, entry.getValue().asText()));
            });
    ProtobufSchemaContent own = ProtobufSchemaContent.of("it.proto", request.get("schema").asText());
    FileDescriptor file = FileDescriptorUtils.parseProtoFileWithDependencies(own, references);
    FILES.put(key, file);
    return file;
  }

  private static Descriptor named(FileDescriptor file, JsonNode request) {
    String name = request.get("message").asText();
    List<Descriptor> types = messages(file.getMessageTypes());
    for (int index = 0; index < types.size(); index++) {
      if (types.get(index).getFullName().equals(name)) return types.get(index);
      types.addAll(messages(types.get(index).getNestedTypes()));
    }
    throw new IllegalArgumentException("no message " + name);
  }

  /** Without the entries of maps, which a file does not have. */
  private static List<Descriptor> messages(List<Descriptor> types) {
    List<Descriptor> found = new ArrayList<>(types);
    found.removeIf(type -> type.getOptions().getMapEntry());
    return found;
  }

  private static Descriptor indexed(FileDescriptor file, ByteBuffer bytes) {
    int count = readVarint(bytes);
    if (count == 0) return file.getMessageTypes().get(0);
    Descriptor type = null;
    for (int left = count; left > 0; left--) {
      List<Descriptor> types = messages(type == null ? file.getMessageTypes() : type.getNestedTypes());
      type = types.get(readVarint(bytes));
    }
    return type;
  }

  private static List<Integer> indexesOf(Descriptor type) {
    Descriptor outer = type.getContainingType();
    List<Integer> indexes = outer == null ? new ArrayList<>() : indexesOf(outer);
    indexes.add(messages(outer == null ? type.getFile().getMessageTypes() : outer.getNestedTypes()).indexOf(type));
    return indexes;
  }

  private static String framed(int id, DynamicMessage message) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(0);
    out.writeInt(id);
    List<Integer> indexes = indexesOf(message.getDescriptorForType());
    if (indexes.equals(List.of(0))) {
      out.writeByte(0);
    } else {
      writeVarint(out, indexes.size());
      for (int index : indexes) writeVarint(out, index);
    }
    message.writeTo(out);
    return Peer.hex(bytes.toByteArray());
  }

  private static int readVarint(ByteBuffer bytes) {
    int zigzag = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes.get();
      zigzag |= (next & 0x7f) << shift;
      if (next >= 0) return (zigzag >>> 1) ^ -(zigzag & 1);
    }
  }

  private static void writeVarint(DataOutputStream out, int value) throws IOException {
    int zigzag = (value << 1) ^ (value >> 31);
    for (; (zigzag & ~0x7f) != 0; zigzag >>>= 7) out.writeByte((zigzag & 0x7f) | 0x80);
    out.writeByte(zigzag);
  }
}
