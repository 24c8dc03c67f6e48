import type { Store } from '../../state/store.ts'
import type {
  Cancellable,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  Punctuator,
} from '../processor.ts'
import type { RecordMetadata, StreamRecord } from '../record.ts'

/** The context of a processor that must not change keys: what it forwards for a record has that record's key. */
class FixedKeyContext<K, V> implements ProcessorContext<K, V> {
  readonly #context: ProcessorContext<K, V>
  /** The record at work; null in a punctuator. */
  current: StreamRecord<K, unknown> | null = null

  constructor(context: ProcessorContext<K, V>) {
    this.#context = context
  }

  forward(record: StreamRecord<K, V>, child?: string): void {
    if (this.current !== null && record.key !== this.current.key) {
      throw new TypeError(
        'processValues forwarded a record with another key than the one it came for: use process, or selectKey',
      )
    }
    this.#context.forward(record, child)
  }

  get applicationId(): string {
    return this.#context.applicationId
  }

  get taskId(): string {
    return this.#context.taskId
  }

  get partition(): number {
    return this.#context.partition
  }

  stateStore<S extends Store = Store>(name: string): S {
    return this.#context.stateStore<S>(name)
  }

  schedule(
    options: { readonly intervalMs: number; readonly type: PunctuationType },
    punctuator: Punctuator,
  ): Cancellable {
    return this.#context.schedule(options, punctuator)
  }

  recordMetadata(): RecordMetadata | null {
    return this.#context.recordMetadata()
  }

  currentStreamTimeMs(): number {
    return this.#context.currentStreamTimeMs()
  }

  currentSystemTimeMs(): number {
    return this.#context.currentSystemTimeMs()
  }

  commit(): void {
    this.#context.commit()
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
