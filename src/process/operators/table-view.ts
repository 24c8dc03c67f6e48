import type {
  SessionStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  Windowed,
} from '../../state/store.ts'
import type { ProcessorContext } from '../processor.ts'

/** @returns the table's present value under a key, null when there is none */
export type RowGetter<K, V> = (key: K) => V | null

/** @returns the row's value in a table that is computed from another, null when it has none there */
export type RowFunction<K, V, V2> = (value: V, key: K) => V2 | null

/** How another operator reads a table. Kafka Streams' KTableValueGetterSupplier. */
export interface TableView<K, V> {
  /** The stores that the reader must be connected to. */
  readonly stores: readonly string[]
  open(context: ProcessorContext): RowGetter<K, V>
}

/** Reads a table's own store. */
export function storeView<K, V>(store: string): TableView<K, V> {
  return {
    stores: [store],
    open(context) {
      const rows = context.stateStore<TimestampedKeyValueStore<K, V>>(store)
      return (key) => rows.peek(key)?.value ?? null
    },
  }
}

/** Reads the store of an aggregate over time windows. */
export function windowView<K, V>(store: string): TableView<Windowed<K>, V> {
  return {
    stores: [store],
    open(context) {
      const rows = context.stateStore<TimestampedWindowStore<K, V>>(store)
      return ({ key, window }) => rows.peek(key, window.start)?.value ?? null
    },
  }
}

/** Reads the store of an aggregate over sessions. */
export function sessionView<K, V>(store: string): TableView<Windowed<K>, V> {
  return {
    stores: [store],
    open(context) {
      const rows = context.stateStore<SessionStore<K, V>>(store)
      return ({ key, window }) => rows.fetchSession(key, window.start, window.end)
    },
  }
}

/** Reads a parent table's row and computes this table's: for tables without a store. */
export function computedView<K, V, V2>(
  parent: TableView<K, V>,
  compute: RowFunction<K, V, V2>,
): TableView<K, V2> {
  return {
    stores: parent.stores,
    open(context) {
      const get = parent.open(context)
      return (key) => {
        const value = get(key)
        return value === null ? null : compute(value, key)
      }
    },
  }
}
