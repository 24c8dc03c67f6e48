import type { Store } from '../state/store.ts'
import type { RecordMetadata, StreamRecord } from './record.ts'

/** A node of a topology that sees every record. Kafka Streams' org.apache.kafka.streams.processor.api.Processor. */
export interface Processor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  /** Called once before the first record, with the state restored. */
  init?(context: ProcessorContext<KOut, VOut>): void
  process(record: StreamRecord<KIn, VIn>, context: ProcessorContext<KOut, VOut>): void
  /** Called once when the task stops; the state can no longer be changed. */
  close?(): void
}

/** Makes a new processor for every task. */
export type ProcessorSupplier<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> = () => Processor<
  KIn,
  VIn,
  KOut,
  VOut
>

/**
 * `stream-time`: advances with the records' timestamps, the task's partitions together. `wall-clock-time`: the machine's clock.
 * Kafka Streams' PunctuationType.
 */
export type PunctuationType = 'stream-time' | 'wall-clock-time'

/** @param timestamp the time for which it runs, ms since 1970 */
export type Punctuator = (timestamp: number) => void

export interface Cancellable {
  cancel(): void
}

/** What a processor sees of its task. Kafka Streams' ProcessorContext. */
export interface ProcessorContext<KOut = unknown, VOut = unknown> {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`, as in Kafka Streams. */
  readonly taskId: string
  readonly partition: number
  /** Throws when the store is unknown or was not connected to this processor. */
  stateStore<S extends Store = Store>(name: string): S
  /** Hands a record to every child, or to the named one, before it returns. */
  forward(record: StreamRecord<KOut, VOut>, child?: string): void
  /**
   * Runs `punctuator` every `intervalMs`. A stream-time punctuator first runs at the first record; both kinds run between records.
   * Kafka Streams' ProcessorContext.schedule.
   */
  schedule(
    options: { readonly intervalMs: number; readonly type: PunctuationType },
    punctuator: Punctuator,
  ): Cancellable
  /** The input record being processed; null in a punctuator. */
  recordMetadata(): RecordMetadata | null
  /** The highest timestamp the task has seen, -1 before the first record. */
  currentStreamTimeMs(): number
  currentSystemTimeMs(): number
  /** Asks for a commit soon. */
  commit(): void
}
