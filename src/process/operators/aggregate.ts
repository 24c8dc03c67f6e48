import type { Serde } from '../../serde/serde.ts'
import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import { copier } from './copier.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'

export interface AggregateOptions {
  readonly store: string
  /** Asked when a processor is made, which is after the topology was built. */
  readonly sendsOldValues: () => boolean
}

/** @returns the aggregate before the first record of a key */
export type Initializer<A> = () => A
/** @returns the new aggregate, null to delete it. May change and return `aggregate`, which is a copy. */
export type Aggregator<K, V, A, R extends A | null = A | null> = (aggregate: A, value: V, key: K) => R

class Aggregate<K, V, A> implements Processor<K, V, K, Change<A>> {
  readonly #initializer: Initializer<A>
  readonly #aggregator: Aggregator<K, V, A>
  readonly #copy: (value: A) => A
  readonly #options: AggregateOptions
  readonly #sendsOldValues: boolean
  #store!: RowStore<K, A>
  #forwarder!: ChangeForwarder<K, A>

  constructor(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, V, A>,
    value: Serde<A>,
    options: AggregateOptions,
  ) {
    this.#initializer = initializer
    this.#aggregator = aggregator
    this.#copy = copier(value)
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<A>>): void {
    this.#store = context.stateStore(this.#options.store)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, Change<A>>): void {
    const { key, value } = record
    if (key === null || value === null) {
      context.recordDropped('null key or value')
      return
    }
    const row = this.#store.peek(key)
    const before = row === null ? this.#initializer() : row.value
    const timestamp = row === null ? record.timestamp : Math.max(record.timestamp, row.timestamp)
    const after = defined(this.#aggregator(this.#copy(before), value, key))
    // As in Kafka Streams, the old value of a key's first aggregate is what the initializer gave.
    this.#forwarder.update(record, after, before, timestamp)
  }
}

/** Combines the records of each key, from what `initializer` gives. Kafka Streams' KStreamAggregate. */
export function aggregate<K, V, A>(
  initializer: Initializer<A>,
  aggregator: Aggregator<K, V, A>,
  value: Serde<A>,
  options: AggregateOptions,
): ProcessorSupplier<K, V, K, Change<A>> {
  return () => new Aggregate(initializer, aggregator, value, options)
}
