import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { ProcessorContext } from '../processor.ts'

/** @returns the table's present value under a key, null when there is none */
export type RowGetter<K, V> = (key: K) => V | null

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
