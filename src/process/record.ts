import type { Headers } from './headers.ts'

/**
 * What flows through a topology. Immutable: an operator that changes something makes a new record. A record's `key` and `value` may be decoded
 * when first read; a record kept after `process` returned must have been read before, or be copied with {@link copyRecord}.
 */
export interface StreamRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: Headers
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
