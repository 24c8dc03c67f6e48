package weir.bench;

import java.util.SplittableRandom;
import org.apache.avro.generic.GenericData;
import org.apache.avro.util.Utf8;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Fills a topic with {@code records} page views in Avro, of the users {@code user-0000000000} to {@code user-(keys - 1)} drawn uniformly. The same
 * seed gives the same records.
 */
public final class LoadPageViews {
  private static final String[] COUNTRIES = {"DE", "FR", "IT", "JP", "NL", "PL", "US"};
  private static final String[] DEVICES = {"DESKTOP", "PHONE", "TABLET"};
  private static final long FIRST_MS = 1_700_000_000_000L;

  private LoadPageViews() {}

  public static void main(String[] args) {
    var arguments = new Arguments(args);
    String bootstrap = arguments.text("bootstrap");
    String topic = arguments.text("input");
    long records = arguments.number("records");
    long keys = arguments.number("keys");
    var serde = new AvroSerde<PageView>(Schemas.PAGE_VIEW, (int) arguments.number("viewSchemaId"));
    var random = new SplittableRandom(arguments.number("seed"));
    arguments.end();

    long start = System.currentTimeMillis();
    try (var writer = new TopicWriter(bootstrap)) {
      for (long i = 0; i < records; i++) {
        byte[] user = LoadTopic.userKey(random.nextLong(keys));
        writer.write(new ProducerRecord<>(topic, user, serde.write(view(user, FIRST_MS + i, random))));
      }
    }
    System.out.printf("{\"event\":\"loaded\",\"records\":%d,\"ms\":%d}%n", records, System.currentTimeMillis() - start);
  }

  private static PageView view(byte[] user, long at, SplittableRandom random) {
    var view = new PageView();
    view.user = new Utf8(user);
    view.url = "/shop/articles/" + random.nextInt(100_000);
    view.referrer = random.nextInt(2) == 0 ? null : "https://search.example/" + random.nextInt(1_000);
    view.country = COUNTRIES[random.nextInt(COUNTRIES.length)];
    view.device = new GenericData.EnumSymbol(
        Schemas.PAGE_VIEW.getField("device").schema(), DEVICES[random.nextInt(DEVICES.length)]);
    view.campaign = random.nextInt(1_000);
    view.durationMs = random.nextInt(120_000);
    view.at = at;
    // Quarters, so that a sum is the same in any order.
    view.revenue = random.nextInt(400) / 4.0;
    view.isNew = random.nextInt(10) == 0;
    return view;
  }
}
