import type { Serde } from '../../serde/serde.ts'
import type { KeyValueStore, StoreIterator, ValueAndTimestamp } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'

/**
 * Which rows a record is joined to: those whose keys lie between two keys, both included, in order of their bytes, or the other way round; or those
 * whose keys begin with a prefix.
 */
export type RowBounds<K, P> =
  | { readonly from: K; readonly to: K; readonly reverse?: boolean }
  | { readonly prefix: P }

/** @returns null for no rows */
export type RangeSelector<K, V, KR, P> = (record: StreamRecord<K, V>) => RowBounds<KR, P> | null

/** A row of a table. */
export interface TableRow<K, V> {
  readonly key: K
  readonly value: V
  /** ms: of the record that last changed it. */
  readonly timestamp: number
}

/** Rows in the order of the keys' bytes, to be gone through once, before the joiner returns. */
export interface RangeRows<K, V, Row> extends Iterable<Row> {
  /** The rows' values alone: quicker, where the keys do not matter. */
  values(): Iterable<V>
  /** The rows' keys alone. */
  keys(): Iterable<K>
}

export type RangeJoiner<K, V, Rows, R> = (left: V, rows: Rows, key: K) => R

export interface RangeJoin<K, V, KR, VR, R> {
  readonly store: string
  /** Whether the store is a table's, whose values carry timestamps. */
  readonly isTable: boolean
  readonly range: RangeSelector<K, V, KR, unknown>
  readonly prefix: Serde<unknown> | null
  readonly joiner: RangeJoiner<K, V, RangeRows<KR, VR, unknown>, R>
}

class StoreRows<K, V> implements RangeRows<K, V, { readonly key: K; readonly value: V }> {
  readonly #scan: StoreIterator<K, V>

  constructor(scan: StoreIterator<K, V>) {
    this.#scan = scan
  }

  [Symbol.iterator](): Iterator<{ readonly key: K; readonly value: V }> {
    return this.#scan
  }

  values(): Iterable<V> {
    return this.#scan.values()
  }

  keys(): Iterable<K> {
    return this.#scan.keys()
  }
}

class TableRows<K, V> implements RangeRows<K, V, TableRow<K, V>> {
  readonly #scan: StoreIterator<K, ValueAndTimestamp<V>>

  constructor(scan: StoreIterator<K, ValueAndTimestamp<V>>) {
    this.#scan = scan
  }

  *[Symbol.iterator](): Generator<TableRow<K, V>, void> {
    for (const { key, value } of this.#scan) yield { key, value: value.value, timestamp: value.timestamp }
  }

  *values(): Generator<V, void> {
    for (const { value } of this.#scan.values()) yield value
  }

  keys(): Iterable<K> {
    return this.#scan.keys()
  }
}

const NO_ROWS: RangeRows<never, never, never> = {
  [Symbol.iterator]: () => [][Symbol.iterator](),
  values: () => [],
  keys: () => [],
}

class JoinRange<K, V, KR, VR, R> implements Processor<K, V, K, R> {
  readonly #join: RangeJoin<K, V, KR, VR, R>
  #store!: KeyValueStore<KR, unknown>

  constructor(join: RangeJoin<K, V, KR, VR, R>) {
    this.#join = join
  }

  init(context: OperatorContext<K, R>): void {
    const { store } = this.#join
    this.#store = context.stateStore(store)
    if (typeof (this.#store as Partial<KeyValueStore<KR, unknown>>).range !== 'function')
      throw new TypeError(`joinRange: store ${store} is no key-value store: scan it in a processor`)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, R>): void {
    const { key, value, timestamp, headers } = record
    if (key === null || value === null) {
      context.recordDropped('null key or value')
      return
    }
    const { range, isTable, joiner } = this.#join
    const bounds = range(record)
    let joined: R
    if (bounds === null) {
      joined = joiner(value, NO_ROWS, key)
    } else {
      using scan = this.#scan(bounds)
      const rows = isTable
        ? new TableRows(scan as StoreIterator<KR, ValueAndTimestamp<VR>>)
        : new StoreRows(scan as StoreIterator<KR, VR>)
      joined = joiner(value, rows, key)
    }
    context.forward({ key, value: defined(joined), timestamp, headers })
  }

  #scan(bounds: RowBounds<KR, unknown>): StoreIterator<KR, unknown> {
    if (bounds !== undefined && 'prefix' in bounds) {
      const { prefix } = this.#join
      if (prefix === null)
        throw new TypeError(
          `the range of ${this.#join.store} is a prefix, but joinRange was given no { prefix } serde`,
        )
      return this.#store.prefixScan(bounds.prefix, prefix)
    }
    const { from, to, reverse = false } = bounds ?? {}
    if (from === null || from === undefined || to === null || to === undefined)
      throw new TypeError(
        `the range of ${this.#join.store} is from ${String(from)} to ${String(to)}; allowed are { from, to } with two keys, { prefix } and null`,
      )
    return reverse ? this.#store.reverseRange(from, to) : this.#store.range(from, to)
  }
}

/** Joins each record to a range of a store's rows, which the record chooses. Weir's own: Kafka Streams has no such operator. */
export function rangeJoin<K, V, KR, VR, R>(join: RangeJoin<K, V, KR, VR, R>): ProcessorSupplier<K, V, K, R> {
  return () => new JoinRange(join)
}
