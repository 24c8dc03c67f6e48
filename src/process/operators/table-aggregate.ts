import type { Serde } from '../../serde/serde.ts'
import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { AggregateOptions, Aggregator, Initializer } from './aggregate.ts'
import type { Change } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import { copier } from './copier.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { Reducer } from './reduce.ts'

/** How the rows of a group are aggregated. null is no aggregate. */
export interface RowAggregation<K, V, A> {
  /** @returns the aggregate of a group with this one row */
  first(value: V, key: K): A | null
  /** Both may change and return `aggregate`. */
  add(aggregate: A, value: V, key: K): A | null
  subtract(aggregate: A, value: V, key: K): A | null
}

export const countingRows: RowAggregation<unknown, unknown, number> = {
  first: () => 1,
  add: (count) => count + 1,
  subtract: (count) => count - 1,
}

export function reducingRows<K, V>(adder: Reducer<K, V>, subtractor: Reducer<K, V>): RowAggregation<K, V, V> {
  return { first: (value) => value, add: adder, subtract: subtractor }
}

export function aggregatingRows<K, V, A>(
  initializer: Initializer<A>,
  adder: Aggregator<K, V, A>,
  subtractor: Aggregator<K, V, A>,
): RowAggregation<K, V, A> {
  return { first: (value, key) => adder(initializer(), value, key), add: adder, subtract: subtractor }
}

class TableAggregate<K, V, A> implements Processor<K, Change<V>, K, Change<A>> {
  readonly #aggregation: RowAggregation<K, V, A>
  readonly #copy: (value: A) => A
  readonly #options: AggregateOptions
  readonly #sendsOldValues: boolean
  #store!: TimestampedKeyValueStore<K, A>
  #forwarder!: ChangeForwarder<K, A>

  constructor(aggregation: RowAggregation<K, V, A>, value: Serde<A>, options: AggregateOptions) {
    this.#aggregation = aggregation
    this.#copy = copier(value)
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<A>>): void {
    this.#store = context.stateStore(this.#options.store)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, Change<V>>): void {
    const { key } = record
    const { newValue, oldValue } = record.value
    const { first, add, subtract } = this.#aggregation
    const row = this.#store.peek(key)
    const before = row === null ? null : row.value
    const timestamp = row === null ? record.timestamp : Math.max(record.timestamp, row.timestamp)
    let after = before === null ? null : this.#copy(before)
    // What was there is taken out before what is there now is put in.
    if (oldValue !== null && after !== null) after = defined(subtract(after, oldValue, key))
    if (newValue !== null) after = defined(after === null ? first(newValue, key) : add(after, newValue, key))
    this.#forwarder.update(record, after, before, timestamp)
  }
}

/** Aggregates the rows of each group, which also lose their rows. Kafka Streams' KTableAggregate and KTableReduce. */
export function tableAggregate<K, V, A>(
  aggregation: RowAggregation<K, V, A>,
  value: Serde<A>,
  options: AggregateOptions,
): ProcessorSupplier<K, Change<V>, K, Change<A>> {
  return () => new TableAggregate(aggregation, value, options)
}
