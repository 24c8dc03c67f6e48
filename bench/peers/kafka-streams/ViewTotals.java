package weir.bench;

import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;

/** A record of ViewTotals.avsc: what Avro's compiler would make of it, without its builder. */
public final class ViewTotals extends SpecificRecordBase {
  long views;
  long durationMs;
  double revenue;
  CharSequence lastUrl = "";

  @Override
  public Schema getSchema() {
    return Schemas.VIEW_TOTALS;
  }

  @Override
  public Object get(int field) {
    return switch (field) {
      case 0 -> views;
      case 1 -> durationMs;
      case 2 -> revenue;
      case 3 -> lastUrl;
      default -> throw new IndexOutOfBoundsException(field);
    };
  }

  @Override
  public void put(int field, Object value) {
    switch (field) {
      case 0 -> views = (Long) value;
      case 1 -> durationMs = (Long) value;
      case 2 -> revenue = (Double) value;
      case 3 -> lastUrl = (CharSequence) value;
      default -> throw new IndexOutOfBoundsException(field);
    }
  }

  /** These totals and one view more; the values before stay as they are, since the store's cache may hold them. */
  ViewTotals with(PageView view) {
    var totals = new ViewTotals();
    totals.views = views + 1;
    totals.durationMs = durationMs + view.durationMs;
    totals.revenue = revenue + view.revenue;
    totals.lastUrl = view.url;
    return totals;
  }
}
