import type { Headers } from './headers.ts'

/** The span of one record. */
export interface RecordTrace {
  /** Runs a part of the record's way within it; what is begun there and goes on later belongs to it, too. */
  run<T>(part: () => T): T
  end(): void
}

/** Tells another system of each record's way through its task. Used by one stream thread, one record at a time. */
export interface RecordTracer {
  /** Runs `process` within a span of its own, a child of what the record's headers carry. */
  trace(topic: string, partition: number, offset: number, headers: Headers, process: () => void): void
  /** Begins such a span, for a record whose way has several parts. */
  begin(topic: string, partition: number, offset: number, headers: Headers): RecordTrace
  /** The headers of an output: those that carry the input's span carry the one at work instead. Others are as they are. */
  outgoing(headers: Headers): Headers
  /** The record at work has failed, and was dropped. */
  failed(error: Error): void
}
