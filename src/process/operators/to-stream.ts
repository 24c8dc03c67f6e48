import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'

class ToStream<K, V> implements Processor<K, Change<V>, K, V | null> {
  process(record: StreamRecord<K, Change<V>>, context: ProcessorContext<K, V | null>): void {
    const { key, timestamp, headers } = record
    context.forward({ key, value: record.value.newValue, timestamp, headers })
  }
}

/** Forwards a table's new values, null for a deleted row. Kafka Streams' KTableImpl.toStream. */
export function toStream<K, V>(): ProcessorSupplier<K, Change<V>, K, V | null> {
  return () => new ToStream()
}
