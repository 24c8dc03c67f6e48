import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { type Change, changeFrom } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import { defined, type ValueMapper } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { RowFunction } from './table-view.ts'

/** @returns true when the row belongs to the filtered table */
export type RowPredicate<K, V> = (value: V, key: K) => boolean

export interface TableMapOptions {
  /** null: the rows are computed whenever they are asked for. */
  readonly store: string | null
  /** Asked when a processor is made, which is after the topology was built. */
  readonly sendsOldValues: () => boolean
  /** Whether a row that was not there and is not there now is forwarded. */
  readonly forwardsAbsence: boolean
}

/** Forwards the rows that `compute` makes of a parent table's; it gets null for a row that is deleted, or not there. */
export class TableMap<K, V, V2> implements Processor<K, Change<V>, K, Change<V2>> {
  readonly #compute: (value: V | null, key: K) => V2 | null
  readonly #options: TableMapOptions
  readonly #sendsOldValues: boolean
  #store: RowStore<K, V2> | null = null
  #forwarder: ChangeForwarder<K, V2> | null = null

  constructor(compute: (value: V | null, key: K) => V2 | null, options: TableMapOptions) {
    this.#compute = compute
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<V2>>): void {
    if (this.#options.store === null) return
    this.#store = context.stateStore<RowStore<K, V2>>(this.#options.store)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, Change<V>>, context: OperatorContext<K, Change<V2>>): void {
    const { key, timestamp, headers } = record
    const { newValue: parentNew, oldValue: parentOld } = record.value
    const store = this.#store
    const newValue = this.#compute(parentNew, key)
    let oldValue: V2 | null = null
    if (this.#sendsOldValues) {
      oldValue = store === null ? this.#compute(parentOld, key) : (store.peek(key)?.value ?? null)
      if (newValue === null && oldValue === null && !this.#options.forwardsAbsence) return
    }
    if (this.#forwarder === null)
      context.forward({ key, value: changeFrom(record.value, newValue, oldValue), timestamp, headers })
    else this.#forwarder.update(record, newValue, oldValue, timestamp)
  }
}

/**
 * A table whose rows are computed one by one from another table's. Kafka Streams' KTableFilter and KTableMapValues.
 *
 * @param compute is not called for a row that is deleted
 */
export function tableMap<K, V, V2>(
  compute: RowFunction<K, V, V2>,
  options: TableMapOptions,
): ProcessorSupplier<K, Change<V>, K, Change<V2>> {
  return () => new TableMap((value, key) => (value === null ? null : compute(value, key)), options)
}

export function rowFilter<K, V>(predicate: RowPredicate<K, V>): RowFunction<K, V, V> {
  return (value, key) => (predicate(value, key) ? value : null)
}

export function rowFilterNot<K, V>(predicate: RowPredicate<K, V>): RowFunction<K, V, V> {
  return (value, key) => (predicate(value, key) ? null : value)
}

export function rowMapper<K, V, V2>(mapper: ValueMapper<K, V, V2 | null>): RowFunction<K, V, V2> {
  return (value, key) => defined(mapper(value, key))
}
