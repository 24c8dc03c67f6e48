package weir.bench;

import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;

/** A record of PageView.avsc: what Avro's compiler would make of it, without its builder. Texts stay the UTF-8 that they were read as. */
public final class PageView extends SpecificRecordBase {
  CharSequence user;
  CharSequence url;
  CharSequence referrer;
  CharSequence country;
  Object device;
  int campaign;
  int durationMs;
  long at;
  double revenue;
  boolean isNew;

  @Override
  public Schema getSchema() {
    return Schemas.PAGE_VIEW;
  }

  @Override
  public Object get(int field) {
    return switch (field) {
      case 0 -> user;
      case 1 -> url;
      case 2 -> referrer;
      case 3 -> country;
      case 4 -> device;
      case 5 -> campaign;
      case 6 -> durationMs;
      case 7 -> at;
      case 8 -> revenue;
      case 9 -> isNew;
      default -> throw new IndexOutOfBoundsException(field);
    };
  }

  @Override
  public void put(int field, Object value) {
    switch (field) {
      case 0 -> user = (CharSequence) value;
      case 1 -> url = (CharSequence) value;
      case 2 -> referrer = (CharSequence) value;
      case 3 -> country = (CharSequence) value;
      case 4 -> device = value;
      case 5 -> campaign = (Integer) value;
      case 6 -> durationMs = (Integer) value;
      case 7 -> at = (Long) value;
      case 8 -> revenue = (Double) value;
      case 9 -> isNew = (Boolean) value;
      default -> throw new IndexOutOfBoundsException(field);
    }
  }
}
