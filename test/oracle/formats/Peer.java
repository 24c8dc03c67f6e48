import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Answers requests of a test: each line of standard input is one, each of standard output its answer, both JSON. What is refused is {@code {error}}. */
final class Peer {
  static final ObjectMapper JSON = new ObjectMapper();

  interface Answers {
    void answer(JsonNode request, ObjectNode answer) throws Exception;
  }

  private Peer() {}

  static void run(Answers answers) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        answers.answer(JSON.readTree(line), answer);
      } catch (Exception | StackOverflowError error) {
        answer.removeAll();
        answer.put("error", error.toString());
      }
      // Readers of lines end them at U+2028, too.
      out.println(JSON.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII).writeValueAsString(answer));
      out.flush();
    }
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** After the magic byte of Confluent's wire format. */
  static ByteBuffer unframed(String hex) {
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    if (bytes.get() != 0) throw new IllegalArgumentException("no magic byte");
    return bytes;
  }
}
