import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'

export type RecordPredicate<K, V> = (record: StreamRecord<K, V>) => boolean

class Filter<K, V> implements Processor<K, V, K, V> {
  readonly #predicate: RecordPredicate<K, V>

  constructor(predicate: RecordPredicate<K, V>) {
    this.#predicate = predicate
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V>): void {
    if (this.#predicate(record)) context.forward(record)
  }
}

class FilterNot<K, V> implements Processor<K, V, K, V> {
  readonly #predicate: RecordPredicate<K, V>

  constructor(predicate: RecordPredicate<K, V>) {
    this.#predicate = predicate
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V>): void {
    if (!this.#predicate(record)) context.forward(record)
  }
}

/** Forwards the records for which `predicate` is true. Kafka Streams' KStreamFilter. */
export function filter<K, V>(predicate: RecordPredicate<K, V>): ProcessorSupplier<K, V, K, V> {
  return () => new Filter(predicate)
}

/** Forwards the records for which `predicate` is false. */
export function filterNot<K, V>(predicate: RecordPredicate<K, V>): ProcessorSupplier<K, V, K, V> {
  return () => new FilterNot(predicate)
}
