import type { Serde } from '../../serde/serde.ts'
import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { AggregateOptions } from './aggregate.ts'
import type { Change } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import { copier } from './copier.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'

/** @returns the new aggregate, null to delete it. May change and return `aggregate`, which is a copy. */
export type Reducer<K, V, R extends V | null = V | null> = (aggregate: V, value: V, key: K) => R

class Reduce<K, V> implements Processor<K, V, K, Change<V>> {
  readonly #reducer: Reducer<K, V>
  readonly #copy: (value: V) => V
  readonly #options: AggregateOptions
  readonly #sendsOldValues: boolean
  #store!: RowStore<K, V>
  #forwarder!: ChangeForwarder<K, V>

  constructor(reducer: Reducer<K, V>, value: Serde<V>, options: AggregateOptions) {
    this.#reducer = reducer
    this.#copy = copier(value)
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<V>>): void {
    this.#store = context.stateStore(this.#options.store)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, Change<V>>): void {
    const { key, value } = record
    if (key === null || value === null) {
      context.recordDropped('null key or value')
      return
    }
    const row = this.#store.peek(key)
    let before: V | null = null
    let after: V | null = value
    let { timestamp } = record
    if (row !== null) {
      before = row.value
      timestamp = Math.max(timestamp, row.timestamp)
      after = defined(this.#reducer(this.#copy(before), value, key))
    }
    this.#forwarder.update(record, after, before, timestamp)
  }
}

/** Combines the records of each key, from the first one's value. Kafka Streams' KStreamReduce. */
export function reduce<K, V>(
  reducer: Reducer<K, V>,
  value: Serde<V>,
  options: AggregateOptions,
): ProcessorSupplier<K, V, K, Change<V>> {
  return () => new Reduce(reducer, value, options)
}
