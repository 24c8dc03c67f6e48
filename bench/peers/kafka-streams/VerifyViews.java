package weir.bench;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Adds up the input topic's page views by user with nothing but a map, and compares that with the last totals of each user on the output topic.
 * Prints what it found; {@code wrongKeys} is the number of users that are missing, too many, or have other totals.
 */
public final class VerifyViews {
  private long outputRecords;
  private long fallingCounts;
  private final OutputProgress progress = new OutputProgress();

  private VerifyViews() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String inputTopic = arguments.text("input");
    String outputTopic = arguments.text("output");
    var views = new AvroSerde<PageView>(Schemas.PAGE_VIEW, (int) arguments.number("viewSchemaId"));
    var totals = new AvroSerde<ViewTotals>(Schemas.VIEW_TOTALS, (int) arguments.number("totalsSchemaId"));
    arguments.end();
    new VerifyViews().run(bootstrap, inputTopic, outputTopic, views, totals);
  }

  private void run(
      String bootstrap, String inputTopic, String outputTopic, AvroSerde<PageView> views, AvroSerde<ViewTotals> totals) {
    Map<String, Totals> users = new HashMap<>();
    Topics.forEachRecord(bootstrap, inputTopic, record -> {
      Totals user = totalsOf(users, record.key());
      user.expected = user.expected.with(views.read(record.value()));
    });
    long keys = users.size();
    Topics.forEachRecord(bootstrap, outputTopic, record -> {
      Totals user = totalsOf(users, record.key());
      ViewTotals found = totals.read(record.value());
      if (found.views <= user.found.views) {
        fallingCounts++;
      }
      user.found = found;
      outputRecords++;
      progress.add(record.timestamp());
    });
    long records = users.values().stream().mapToLong(user -> user.expected.views).sum();
    long wrongKeys = users.values().stream().filter(user -> !user.isRight()).count();
    System.out.printf(
        "{\"event\":\"verified\",\"isRight\":%b,\"records\":%d,\"keys\":%d,\"outputRecords\":%d,\"wrongKeys\":%d,"
            + "\"fallingCounts\":%d,%s}%n",
        wrongKeys == 0 && fallingCounts == 0, records, keys, outputRecords, wrongKeys, fallingCounts, progress.json());
  }

  private static Totals totalsOf(Map<String, Totals> users, byte[] key) {
    return users.computeIfAbsent(new String(key, StandardCharsets.ISO_8859_1), name -> new Totals());
  }

  private static final class Totals {
    ViewTotals expected = new ViewTotals();
    ViewTotals found = new ViewTotals();

    boolean isRight() {
      return expected.equals(found);
    }
  }
}
