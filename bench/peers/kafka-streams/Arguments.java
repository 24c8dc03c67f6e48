package weir.bench;

import java.util.HashMap;
import java.util.Map;

/** The {@code name=value} arguments of a program; an unknown or missing name is an error. */
final class Arguments {
  private final Map<String, String> values = new HashMap<>();

  Arguments(String[] args) {
    for (String arg : args) {
      int equals = arg.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("expected name=value, got " + arg);
      }
      values.put(arg.substring(0, equals), arg.substring(equals + 1));
    }
  }

  String text(String name) {
    String value = values.remove(name);
    if (value == null) {
      throw new IllegalArgumentException("argument " + name + "= is missing");
    }
    return value;
  }

  long number(String name) {
    return Long.parseLong(text(name));
  }

  /** As {@code number}, of an argument that may be absent. */
  long number(String name, long otherwise) {
    return values.containsKey(name) ? number(name) : otherwise;
  }

  /** Call when every argument has been taken. */
  void end() {
    if (!values.isEmpty()) {
      throw new IllegalArgumentException("unknown arguments: " + values.keySet());
    }
  }
}
