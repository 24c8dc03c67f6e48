import type { Headers } from './headers.ts'

/**
 * What flows through a topology. Immutable: an operator that changes something makes a new record. A record's value and headers are decoded when
 * first read; a record kept after `process` returned must have been read before, or be copied with {@link copyRecord}.
 *
 * Any object with these fields is one. It is declared as a class with accessors so that the compiler knows what a spread does with the records
 * that processors get: `{ ...record }` leaves `value` and `headers` out.
 */
export declare abstract class StreamRecord<K, V> {
  readonly key: K
  abstract get value(): V
  /** Milliseconds since 1970. */
  readonly timestamp: number
  abstract get headers(): Headers
}

/** True when the record's value is null. Does not decode it. */
export function isValueNull(record: StreamRecord<unknown, unknown>): boolean {
  return (record as { readonly valueIsNull?: boolean }).valueIsNull ?? record.value === null
}

/** The input record that is being processed. Null in a punctuator. Kafka Streams' RecordMetadata. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export function copyRecord<K, V>(record: StreamRecord<K, V>): StreamRecord<K, V> {
  return { key: record.key, value: record.value, timestamp: record.timestamp, headers: record.headers }
}
