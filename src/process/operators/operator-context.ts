import type { ProcessorContext } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { RecordOrigin } from '../record-origin.ts'

/** What Weir's own operators see of their task besides: the runtime's contexts are of this type. */
export interface OperatorContext<KOut = unknown, VOut = unknown> extends ProcessorContext<KOut, VOut> {
  /**
   * Results whose window is over are looked for no more often, ms of wall-clock time. Kafka Streams' internal emit.interval.ms settings, which its
   * test driver sets to 0.
   */
  readonly emitIntervalMs: number
  /**
   * Counts the record at work as dropped. Kafka Streams' dropped-records sensor and its warning.
   *
   * @param reason for the log: `null key`
   */
  recordDropped(reason: string): void
  /** Counts a change that was held back and is forwarded now. Kafka Streams' suppression-emit sensor. */
  suppressionEmitted(): void
  /**
   * What `forwardFor` needs to know of the record at work.
   *
   * @param record as the operator got it; null: the task's own
   * @param into an earlier answer, to be written over
   */
  origin(record: StreamRecord<unknown, unknown> | null, into: RecordOrigin | null): RecordOrigin
  /** What was set under a name, by this or a task before it; null for nothing. */
  processorMetadata(name: string): number | null
  /** Keeps a whole number, committed with the source's offsets. Kafka Streams' addProcessorMetadataKeyValue. */
  setProcessorMetadata(name: string, value: number): void
  /** Forwards as if the record that `origin` tells of were at work. */
  forwardFor(origin: RecordOrigin, record: StreamRecord<KOut, VOut>): void
}
