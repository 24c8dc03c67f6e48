package weir.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Avro in Confluent's wire format (0, the schema's id, the value) with Apache Avro, its decoder and encoder used again and the one schema known:
 * the least that a serde with a registry can do. For one thread.
 */
final class AvroSerde<T extends SpecificRecordBase> implements Serde<T> {
  private static final int HEADER_BYTES = 5;

  private final int schemaId;
  private final SpecificDatumReader<T> reader;
  private final SpecificDatumWriter<T> writer;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;

  AvroSerde(Schema schema, int schemaId) {
    this.schemaId = schemaId;
    // Without conversions: a timestamp stays the long that it is written as.
    var data = new SpecificData(getClass().getClassLoader());
    reader = new SpecificDatumReader<>(schema, schema, data);
    writer = new SpecificDatumWriter<>(schema, data);
  }

  @Override
  public Serializer<T> serializer() {
    return (topic, value) -> value == null ? null : write(value);
  }

  @Override
  public Deserializer<T> deserializer() {
    return (topic, data) -> data == null ? null : read(data);
  }

  T read(byte[] data) {
    if (data[0] != 0 || ByteBuffer.wrap(data).getInt(1) != schemaId) {
      throw new SerializationException("a value of schema " + schemaId + " is expected");
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(data, HEADER_BYTES, data.length - HEADER_BYTES, decoder);
      return reader.read(null, decoder);
    } catch (IOException error) {
      throw new SerializationException(error);
    }
  }

  byte[] write(T value) {
    bytes.reset();
    bytes.write(0);
    bytes.write(schemaId >>> 24);
    bytes.write(schemaId >>> 16);
    bytes.write(schemaId >>> 8);
    bytes.write(schemaId);
    try {
      encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
      writer.write(value, encoder);
      encoder.flush();
    } catch (IOException error) {
      throw new SerializationException(error);
    }
    return bytes.toByteArray();
  }
}
