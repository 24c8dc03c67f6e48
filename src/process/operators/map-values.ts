import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'

export type ValueMapper<K, V, V2> = (value: V, key: K) => V2
export type FlatValueMapper<K, V, V2> = (value: V, key: K) => Iterable<V2>

class MapValues<K, V, V2> implements Processor<K, V, K, V2> {
  readonly #mapper: ValueMapper<K, V, V2>

  constructor(mapper: ValueMapper<K, V, V2>) {
    this.#mapper = mapper
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V2>): void {
    const { key } = record
    const value = this.#mapper(record.value, key)
    context.forward({ key, value: defined(value), timestamp: record.timestamp, headers: record.headers })
  }
}

class FlatMapValues<K, V, V2> implements Processor<K, V, K, V2> {
  readonly #mapper: FlatValueMapper<K, V, V2>

  constructor(mapper: FlatValueMapper<K, V, V2>) {
    this.#mapper = mapper
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V2>): void {
    const { key, timestamp, headers } = record
    for (const value of this.#mapper(record.value, key))
      context.forward({ key, value: defined(value), timestamp, headers })
  }
}

/** A function that forgot its `return` would otherwise be met at a serde far below. */
export function defined<V>(value: V): V {
  if (value === undefined)
    throw new TypeError('the function returned undefined; null is a record without a value')
  return value
}

/** Forwards each record with another value; called for null values too. Kafka Streams' KStreamMapValues. */
export function mapValues<K, V, V2>(mapper: ValueMapper<K, V, V2>): ProcessorSupplier<K, V, K, V2> {
  return () => new MapValues(mapper)
}

/** Forwards any number of records with the same key for each record. Kafka Streams' KStreamFlatMapValues. */
export function flatMapValues<K, V, V2>(mapper: FlatValueMapper<K, V, V2>): ProcessorSupplier<K, V, K, V2> {
  return () => new FlatMapValues(mapper)
}
