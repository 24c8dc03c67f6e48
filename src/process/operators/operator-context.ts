import type { ProcessorContext } from '../processor.ts'

/** What Weir's own operators see of their task besides: the runtime's contexts are of this type. */
export interface OperatorContext<KOut = unknown, VOut = unknown> extends ProcessorContext<KOut, VOut> {
  /**
   * Counts the record at work as dropped. Kafka Streams' dropped-records sensor and its warning.
   *
   * @param reason for the log: `null key`
   */
  recordDropped(reason: string): void
}
