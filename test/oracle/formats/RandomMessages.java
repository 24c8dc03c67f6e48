import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import java.util.List;
import java.util.Random;

/** Random messages of whatever type: fields are there or not, numbers are small, at their limits or any. */
final class RandomMessages {
  private static final int DEPTH_MAX = 3;
  private static final List<String> TEXTS = List.of("", "a", "größer", "日本", "👍🏽", "a\u0000b", "x".repeat(300));
  private final Random random;

  RandomMessages(Random random) {
    this.random = random;
  }

  DynamicMessage next(Descriptor type) {
    return message(type, 0);
  }

  private DynamicMessage message(Descriptor type, int depth) {
    DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
    for (FieldDescriptor field : type.getFields()) {
      boolean isDeep = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isMapField() && depth >= DEPTH_MAX;
      if (field.isRequired() || (random.nextInt(3) > 0 && !isDeep)) set(builder, field, depth);
    }
    return builder.build();
  }

  private void set(DynamicMessage.Builder builder, FieldDescriptor field, int depth) {
    if (field.isMapField()) {
      Descriptor entry = field.getMessageType();
      FieldDescriptor values = entry.findFieldByNumber(2);
      if (values.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth >= DEPTH_MAX) return;
      // Of one key the last entry counts, and Java writes what it has: each key is there once.
      java.util.Set<Object> keys = new java.util.HashSet<>();
      for (int left = random.nextInt(4); left > 0; left--) {
        Object key = value(entry.findFieldByNumber(1), depth);
        if (!keys.add(key)) continue;
        DynamicMessage.Builder one = DynamicMessage.newBuilder(entry);
        one.setField(entry.findFieldByNumber(1), key);
        one.setField(values, value(values, depth));
        builder.addRepeatedField(field, one.build());
      }
    } else if (field.isRepeated()) {
      for (int left = random.nextInt(4); left > 0; left--) builder.addRepeatedField(field, value(field, depth));
    } else {
      builder.setField(field, value(field, depth));
    }
  }

  private Object value(FieldDescriptor field, int depth) {
    return switch (field.getJavaType()) {
      case INT -> number(32).intValue();
      case LONG -> number(64);
      case FLOAT -> random.nextInt(8) == 0 ? Float.NEGATIVE_INFINITY : Float.intBitsToFloat(random.nextInt() & ~0x40000000);
      case DOUBLE -> random.nextInt(8) == 0 ? -0.0 : random.nextGaussian() * 1e9;
      case BOOLEAN -> random.nextBoolean();
      case STRING -> TEXTS.get(random.nextInt(TEXTS.size())) + (random.nextBoolean() ? random.nextInt(1000) : "");
      case BYTE_STRING -> {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        yield ByteString.copyFrom(bytes);
      }
      case ENUM -> {
        List<EnumValueDescriptor> values = field.getEnumType().getValues();
        yield values.get(random.nextInt(values.size()));
      }
      case MESSAGE -> message(field.getMessageType(), depth + 1);
    };
  }

  private Long number(int bits) {
    long min = -1L << (bits - 1);
    return switch (random.nextInt(5)) {
      case 0 -> 0L;
      case 1 -> min;
      case 2 -> -(min + 1);
      case 3 -> (long) random.nextInt(300) - 150;
      default -> random.nextLong() >> (64 - bits);
    };
  }
}
