import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import { isValueNull, type StreamRecord } from '../record.ts'
import type { AggregateOptions } from './aggregate.ts'
import type { Change } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import type { OperatorContext } from './operator-context.ts'

class Count<K, V> implements Processor<K, V, K, Change<number>> {
  readonly #options: AggregateOptions
  readonly #sendsOldValues: boolean
  #store!: RowStore<K, number>
  #forwarder!: ChangeForwarder<K, number>

  constructor(options: AggregateOptions) {
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<number>>): void {
    this.#store = context.stateStore(this.#options.store)
    this.#forwarder = new ChangeForwarder(this.#store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, Change<number>>): void {
    const { key } = record
    if (key === null || isValueNull(record)) {
      context.recordDropped('null key or value')
      return
    }
    const row = this.#store.peek(key)
    let count = 0
    let { timestamp } = record
    if (row !== null) {
      count = row.value
      if (row.timestamp > timestamp) timestamp = row.timestamp
    }
    this.#forwarder.update(record, count + 1, count, timestamp)
  }
}

/** Counts the records of each key, from 0. Kafka Streams' KGroupedStreamImpl.count. */
export function count<K, V>(options: AggregateOptions): ProcessorSupplier<K, V, K, Change<number>> {
  return () => new Count(options)
}
