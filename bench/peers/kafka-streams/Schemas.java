package weir.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.apache.avro.Schema;

/** The schemas of bench/pipeline/schemas; a system property says where that is. */
final class Schemas {
  static final Schema PAGE_VIEW = load("PageView");
  static final Schema VIEW_TOTALS = load("ViewTotals");

  private Schemas() {}

  private static Schema load(String name) {
    try {
      return new Schema.Parser().parse(Path.of(System.getProperty("bench.schemas"), name + ".avsc").toFile());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
