import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.DeserializationExceptionHandler;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs a topology whose records fail in many places in Kafka Streams' TopologyTestDriver, with handlers that continue, on the same pseudo-random records
 * as test/unit/testing/errors-oracle.test.ts; and writes what the handlers saw, and every record of every topic, dead letters among them. test/oracle/run.sh
 * runs it.
 */
public final class RunErrors {
  private static final int RECORDS = 300;
  private static final List<String> LINES = new ArrayList<>();
  private static final Serde<String> TEXT = Serdes.String();
  private static final Serde<Integer> INT = Serdes.Integer();

  /** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
  private static final class Lcg {
    private long state = 42;

    int next(int bound) {
      state = (state * 1103515245L + 12345L) & 0x7fffffffL;
      return (int) ((state >> 8) % bound);
    }
  }

  private static void seen(String kind, ErrorHandlerContext context, String record) {
    LINES.add(String.join(" ", kind, context.processorNodeId(), String.valueOf(context.topic()),
        String.valueOf(context.partition()), String.valueOf(context.offset()), String.valueOf(context.timestamp()),
        context.taskId().toString(), shown(context.headers()), shown(context.sourceRawKey()), shown(context.sourceRawValue()), record));
  }

  private static List<ProducerRecord<byte[], byte[]>> letters(ErrorHandlerContext context, Exception exception) {
    return Collections.singletonList(ExceptionHandlerUtils.buildDeadLetterQueueRecord("letters", context.sourceRawKey(),
        context.sourceRawValue(), context, exception));
  }

  public static final class Deserialization implements DeserializationExceptionHandler {
    @Override
    public Response handleError(ErrorHandlerContext context, ConsumerRecord<byte[], byte[]> record, Exception exception) {
      seen("deserialization", context, "-");
      return Response.resume(letters(context, exception));
    }

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  public static final class Processing implements ProcessingExceptionHandler {
    @Override
    public Response handleError(ErrorHandlerContext context, Record<?, ?> record, Exception exception) {
      seen("processing", context, record == null ? "null" : record.key() + "=" + record.value() + "@" + record.timestamp());
      return Response.resume(letters(context, exception));
    }

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  public static final class Production implements ProductionExceptionHandler {
    @Override
    @SuppressWarnings("rawtypes")
    public Response handleSerializationError(ErrorHandlerContext context, ProducerRecord record, Exception exception,
        SerializationExceptionOrigin origin) {
      seen("production", context, origin + " " + record.topic() + " " + record.key() + "=" + record.value() + "@" + record.timestamp());
      return Response.resume(letters(context, exception));
    }

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  /** Throws before it forwards, or after. */
  private static final class First implements Processor<String, Integer, String, Integer> {
    private ProcessorContext<String, Integer> context;
    private int ticks = 0;

    @Override
    public void init(ProcessorContext<String, Integer> given) {
      context = given;
      context.schedule(Duration.ofMillis(100), PunctuationType.WALL_CLOCK_TIME, timestamp -> {
        if (++ticks % 3 == 0) throw new IllegalStateException("tick");
        context.forward(new Record<>("tick", ticks, timestamp));
      });
    }

    @Override
    public void process(Record<String, Integer> record) {
      if (record.value() % 7 == 0) throw new IllegalStateException("before");
      context.forward(record.withTimestamp(record.timestamp() + 1));
      if (record.value() % 11 == 0) throw new IllegalStateException("after");
    }
  }

  private static Integer unless(int divisor, Integer value) {
    if (value % divisor == 0) throw new IllegalArgumentException("a multiple of " + divisor);
    return value;
  }

  private static <T> Serde<T> picky(Serde<T> serde, java.util.function.Predicate<T> isRefused) {
    return Serdes.serdeFrom((topic, data) -> {
      if (data != null && isRefused.test(data)) throw new IllegalArgumentException("refused");
      return serde.serializer().serialize(topic, data);
    }, serde.deserializer());
  }

  private static StreamsBuilder topology() {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, Integer> source = builder.stream("in", Consumed.with(TEXT, INT));
    KStream<String, Integer> first = source.process(First::new);
    first.mapValues(value -> unless(5, value)).to("out",
        Produced.with(picky(TEXT, key -> key.equals("k3")), picky(INT, value -> value % 13 == 0)));
    first.to("parted", Produced.with(TEXT, INT, (topic, key, value, partitions) -> Optional.of(Set.of(unless(17, value) * 0))));
    source.groupByKey(Grouped.with(TEXT, INT)).count().toStream().filter((key, count) -> unless(4, count.intValue()) > 0)
        .to("counts", Produced.with(TEXT, Serdes.Long()));
    source.selectKey((key, value) -> "r" + value % 3).repartition(Repartitioned.with(TEXT, INT).withName("again"))
        .mapValues(value -> unless(6, value)).to("again-out", Produced.with(TEXT, INT));
    return builder;
  }

  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "errors");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/errors-" + System.nanoTime());
    settings.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG, Deserialization.class);
    settings.put(StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG, Processing.class);
    settings.put(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, Production.class);
    Lcg lcg = new Lcg();
    try (TopologyTestDriver driver = new TopologyTestDriver(topology().build(), settings, Instant.ofEpochMilli(1_000_000))) {
      TestInputTopic<byte[], byte[]> input = driver.createInputTopic("in", new ByteArraySerializer(), new ByteArraySerializer());
      for (int index = 0; index < RECORDS; index++) {
        LINES.add("record " + index);
        byte[] key = ("k" + lcg.next(5)).getBytes(StandardCharsets.UTF_8);
        int length = lcg.next(6) == 0 ? 3 : 4;
        byte[] value = java.util.Arrays.copyOf(ByteBuffer.allocate(4).putInt(1 + lcg.next(1000)).array(), length);
        long timestamp = 1000L + index + lcg.next(40);
        Headers headers = new RecordHeaders().add("index", String.valueOf(index).getBytes(StandardCharsets.UTF_8));
        input.pipeInput(new TestRecord<>(key, value, headers, timestamp));
        if (index % 10 == 9) driver.advanceWallClockTime(Duration.ofMillis(100));
        for (String topic : new java.util.TreeSet<>(driver.producedTopicNames())) {
          if (topic.endsWith("-changelog")) continue;
          for (TestRecord<byte[], byte[]> record : driver
              .createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer()).readRecordsToList()) {
            LINES.add(String.join(" ", topic, shown(record.key()), shown(record.value()), String.valueOf(record.timestamp()), shown(record.headers())));
          }
        }
      }
    }
    Files.write(Path.of(arguments[0]).resolve("errors/errors.txt"), LINES);
    System.out.println(LINES.size() + " lines of errors");
  }

  /** Without what is told in words of its own. */
  private static String shown(Headers headers) {
    List<String> shown = new ArrayList<>();
    for (Header header : headers) {
      boolean isOwn = header.key().matches("__streams\\.errors\\.(exception|message|stacktrace)");
      shown.add(header.key() + (isOwn ? "" : "=" + (header.value() == null ? "null" : new String(header.value(), StandardCharsets.UTF_8))));
    }
    return "[" + String.join(",", shown) + "]";
  }

  private static String shown(byte[] bytes) {
    if (bytes == null) return "null";
    StringBuilder text = new StringBuilder();
    for (byte one : bytes) text.append(String.format("%02x", one));
    return text.append('.').toString();
  }
}
