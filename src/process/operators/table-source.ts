import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'

export interface TableSourceOptions {
  /** Both are asked when a processor is made, which is after the topology was built. null: no store, the table is a stream of changes. */
  readonly store: () => string | null
  readonly sendsOldValues: () => boolean
}

class TableSource<K, V> implements Processor<K, V | null, K, Change<V>> {
  readonly #storeName: string | null
  readonly #sendsOldValues: boolean
  #store: TimestampedKeyValueStore<K, V> | null = null

  constructor(options: TableSourceOptions) {
    this.#storeName = options.store()
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<V>>): void {
    if (this.#storeName !== null) this.#store = context.stateStore(this.#storeName)
  }

  process(record: StreamRecord<K, V | null>, context: OperatorContext<K, Change<V>>): void {
    const { key, value, timestamp, headers } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    let oldValue: V | null = null
    if (this.#store !== null) {
      if (this.#sendsOldValues) oldValue = this.#store.peek(key)?.value ?? null
      this.#store.update(key, value, timestamp)
    }
    context.forward({ key, value: { newValue: value, oldValue }, timestamp, headers })
  }
}

/** A topic as a table: the last value of each key, a null deletes. Kafka Streams' KTableSource. */
export function tableSource<K, V>(options: TableSourceOptions): ProcessorSupplier<K, V | null, K, Change<V>> {
  return () => new TableSource(options)
}
