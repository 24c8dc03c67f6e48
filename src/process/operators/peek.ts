import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'

export type RecordAction<K, V> = (record: StreamRecord<K, V>) => void

class Peek<K, V> implements Processor<K, V, K, V> {
  readonly #action: RecordAction<K, V>

  constructor(action: RecordAction<K, V>) {
    this.#action = action
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V>): void {
    this.#action(record)
    context.forward(record)
  }
}

class ForEach<K, V> implements Processor<K, V, never, never> {
  readonly #action: RecordAction<K, V>

  constructor(action: RecordAction<K, V>) {
    this.#action = action
  }

  process(record: StreamRecord<K, V>): void {
    this.#action(record)
  }
}

class PassThrough<K, V> implements Processor<K, V, K, V> {
  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V>): void {
    context.forward(record)
  }
}

/** Shows each record to `action` and forwards it. Kafka Streams' KStreamPeek. */
export function peek<K, V>(action: RecordAction<K, V>): ProcessorSupplier<K, V, K, V> {
  return () => new Peek(action)
}

/** Shows each record to `action`; nothing is forwarded. Kafka Streams' ForeachProcessor. */
export function forEach<K, V>(action: RecordAction<K, V>): ProcessorSupplier<K, V, never, never> {
  return () => new ForEach(action)
}

/** Forwards each record: where streams merge. Kafka Streams' PassThrough. */
export function passThrough<K, V>(): ProcessorSupplier<K, V, K, V> {
  return () => new PassThrough()
}
