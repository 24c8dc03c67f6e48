import type { Serde } from '../serde/serde.ts'
import { ScanIterator } from './scan-iterator.ts'
import type { ReadOnlyKeyValueStore, StoreIterator, ValueAndTimestamp } from './store.ts'

type Row<K, V> = { readonly key: K; readonly value: V }

/** Iterates another store's rows, each as its reader sees it. */
class ViewIterator<K, S, V> extends ScanIterator<K, V> {
  readonly #rows: StoreIterator<K, S>
  readonly #view: (value: S) => V

  constructor(rows: StoreIterator<K, S>, view: (value: S) => V) {
    super()
    this.#rows = rows
    this.#view = view
  }

  override next(): IteratorResult<Row<K, V>> {
    const { done, value: row } = this.#rows.next()
    if (done === true) return { done: true, value: undefined }
    return { done: false, value: { key: row.key, value: this.#view(row.value) } }
  }

  override close(): void {
    this.#rows.close()
  }
}

/** Has the methods that read, and no others: what it is made from cannot be reached through it. */
class ReadOnlyView<K, S, V> implements ReadOnlyKeyValueStore<K, V> {
  readonly name: string
  readonly #store: ReadOnlyKeyValueStore<K, S>
  readonly #view: (value: S) => V

  constructor(store: ReadOnlyKeyValueStore<K, S>, view: (value: S) => V) {
    this.name = store.name
    this.#store = store
    this.#view = view
  }

  get(key: K): V | null {
    const value = this.#store.get(key)
    return value === null ? null : this.#view(value)
  }

  range(from: K | null, to: K | null): StoreIterator<K, V> {
    return new ViewIterator(this.#store.range(from, to), this.#view)
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<K, V> {
    return new ViewIterator(this.#store.reverseRange(from, to), this.#view)
  }

  all(): StoreIterator<K, V> {
    return new ViewIterator(this.#store.all(), this.#view)
  }

  reverseAll(): StoreIterator<K, V> {
    return new ViewIterator(this.#store.reverseAll(), this.#view)
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<K, V> {
    return new ViewIterator(this.#store.prefixScan(prefix, serde), this.#view)
  }

  approximateEntryCount(): number {
    return this.#store.approximateEntryCount()
  }
}

/** A store as somebody sees it who must not change it. Kafka Streams' ReadOnlyKeyValueStore. */
export function readOnlyView<K, V>(store: ReadOnlyKeyValueStore<K, V>): ReadOnlyKeyValueStore<K, V> {
  return new ReadOnlyView(store, (value) => value)
}

/** The values of a table's store, without their timestamps, and read-only. Kafka Streams' ReadOnlyKeyValueStoreFacade. */
export function valueView<K, V>(
  store: ReadOnlyKeyValueStore<K, ValueAndTimestamp<V>>,
): ReadOnlyKeyValueStore<K, V> {
  return new ReadOnlyView(store, ({ value }) => value)
}
