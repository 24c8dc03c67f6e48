import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What operators are given: the same functions are in functions.ts. Extended for its names. */
abstract class Functions {
  static String shown(Object value) {
    return String.valueOf(value);
  }

  static int sum(String text) {
    int sum = 0;
    for (int i = 0; i < text.length(); i++) sum += text.charAt(i);
    return sum;
  }

  static String cut(String text) {
    return text.length() > 6 ? text.substring(text.length() - 6) : text;
  }

  static boolean keeps(int n, Object key, Object value) {
    return (sum(shown(key) + shown(value)) + n) % 3 != 0;
  }

  static String newKey(int n, Object key, Object value) {
    int sum = sum(shown(key) + shown(value)) + n;
    return sum % 6 == 0 ? null : "k" + sum % 4;
  }

  static String newValue(int n, Object value) {
    return (sum(shown(value)) + n) % 5 == 0 ? null : cut(shown(value) + n);
  }

  static List<String> several(int n, Object value) {
    List<String> values = new ArrayList<>();
    int count = (sum(shown(value)) + n) % 4;
    for (int i = 0; i < count; i++) values.add(cut(shown(value) + i));
    return values;
  }

  static Object combine(int n, Object aggregate, Object value) {
    if (aggregate instanceof Long number) {
      long sum = number + (Long) value;
      return sum % 7 == n ? null : (Object) sum;
    }
    String text = cut(shown(aggregate) + shown(value));
    return (sum(text) + n) % 7 == 0 ? null : text;
  }

  static String joined(int n, Object left, Object right, Object key) {
    String text = shown(left) + shown(right) + shown(key);
    return (sum(text) + n) % 9 == 0 ? null : cut(text);
  }

  @SuppressWarnings("unchecked")
  static Serde<Object> serdeOf(String type) {
    return (Serde<Object>) (Serde<?>) (type.equals("number") ? Serdes.Long() : Serdes.String());
  }
}
