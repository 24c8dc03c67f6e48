import { avroSerde } from './avro/avro.ts'
import { bytesSerde } from './bytes.ts'
import { customSerde } from './custom.ts'
import { jsonSerde } from './json.ts'
import { jsonSchemaSerde } from './json-schema/json-schema.ts'
import { bigint64Serde, float64Serde, int32Serde, int64Serde } from './numbers.ts'
import { protobufSerde } from './protobuf/protobuf.ts'
import type { Serde } from './serde.ts'
import { stringSerde } from './string.ts'
import { sessionWindowedSerde, timeWindowedSerde } from './windowed.ts'

/** The serdes that come with Weir, with the bytes of Kafka's own (org.apache.kafka.common.serialization.Serdes). */
export const serdes = {
  /** Text as UTF-8. */
  string: stringSerde,
  /** A number: 4 bytes, big-endian. */
  int32: int32Serde,
  /** A number: 8 bytes, big-endian; throws beyond 2^53. */
  int64: int64Serde,
  /** A bigint: 8 bytes, big-endian. */
  bigint64: bigint64Serde,
  /** A number: 8 bytes, IEEE 754. */
  float64: float64Serde,
  /** A Buffer, copied out when read. */
  bytes: bytesSerde,
  /** JSON as UTF-8. `T` is what the caller says it is; nothing is checked. */
  json<T = unknown>(): Serde<T> {
    return jsonSerde as Serde<T>
  },
  /** Avro with a schema registry: see docs/avro.md. */
  avro: avroSerde,
  /** JSON that a schema registry has the schema of: see docs/schemas.md. */
  jsonSchema: jsonSchemaSerde,
  /** Protocol Buffers with a schema registry: see docs/schemas.md. */
  protobuf: protobufSerde,
  /** A serde from two functions on byte arrays. */
  custom: customSerde,
  /** A key and its time window, as windowed aggregates write their keys. */
  timeWindowed: timeWindowedSerde,
  /** A key and its session, as session-windowed aggregates write their keys. */
  sessionWindowed: sessionWindowedSerde,
} as const
