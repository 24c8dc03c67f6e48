import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import type { OperatorContext } from './operator-context.ts'

export interface TableSourceOptions {
  /** Both are asked when a processor is made, which is after the topology was built. null: no store, the table is a stream of changes. */
  readonly store: () => string | null
  readonly sendsOldValues: () => boolean
}

class TableSource<K, V> implements Processor<K, V | null, K, Change<V>> {
  readonly #storeName: string | null
  readonly #sendsOldValues: boolean
  #store: RowStore<K, V> | null = null
  #forwarder: ChangeForwarder<K, V> | null = null

  constructor(options: TableSourceOptions) {
    this.#storeName = options.store()
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<V>>): void {
    if (this.#storeName === null) return
    this.#store = context.stateStore<RowStore<K, V>>(this.#storeName)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, V | null>, context: OperatorContext<K, Change<V>>): void {
    const { key, value, timestamp, headers } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    if (this.#store === null || this.#forwarder === null) {
      context.forward({ key, value: { newValue: value, oldValue: null }, timestamp, headers })
      return
    }
    const oldValue = this.#sendsOldValues ? (this.#store.peek(key)?.value ?? null) : null
    this.#forwarder.update(record, value, oldValue, timestamp)
  }
}

/** A topic as a table: the last value of each key, a null deletes. Kafka Streams' KTableSource. */
export function tableSource<K, V>(options: TableSourceOptions): ProcessorSupplier<K, V | null, K, Change<V>> {
  return () => new TableSource(options)
}
