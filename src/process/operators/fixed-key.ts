import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { DelegatingContext } from './delegating-context.ts'

/** The context of a processor that must not change keys: what it forwards for a record has that record's key. */
class FixedKeyContext<K, V> extends DelegatingContext<K, V> {
  /** The record at work; null in a punctuator. */
  current: StreamRecord<K, unknown> | null = null

  override forward(record: StreamRecord<K, V>, child?: string): void {
    if (this.current !== null && record.key !== this.current.key) {
      throw new TypeError(
        'processValues forwarded a record with another key than the one it came for: use process, or selectKey',
      )
    }
    this.context.forward(record, child)
  }
}

class FixedKeyProcessor<K, V, V2> implements Processor<K, V, K, V2> {
  readonly #processor: Processor<K, V, K, V2>
  #context!: FixedKeyContext<K, V2>

  constructor(processor: Processor<K, V, K, V2>) {
    this.#processor = processor
  }

  init(context: ProcessorContext<K, V2>): void {
    this.#context = new FixedKeyContext(context)
    this.#processor.init?.(this.#context)
  }

  process(record: StreamRecord<K, V>): void {
    const context = this.#context
    context.current = record
    try {
      this.#processor.process(record, context)
    } finally {
      context.current = null
    }
  }

  close(): void {
    this.#processor.close?.()
  }
}

/** Keeps the supplier's processors from changing a record's key. Kafka Streams' FixedKeyProcessor. */
export function fixedKey<K, V, V2>(supplier: ProcessorSupplier<K, V, K, V2>): ProcessorSupplier<K, V, K, V2> {
  return () => new FixedKeyProcessor(supplier())
}
