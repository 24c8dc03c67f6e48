import type { RecordMetadata } from './record.ts'

/**
 * Where a task stands: the input record it is at, its stream time, and which node is running. Written once per record by the task, read by
 * contexts and stores. Kafka Streams' ProcessorRecordContext.
 */
export class TaskClock {
  topic = ''
  partition = 0
  offset = -1
  /** The timestamp of what is being processed: the record's that the node at work has got, or the punctuation's. */
  timestamp = 0
  /** The highest timestamp over the task's partitions, -1 before the first record. */
  streamTimeMs = -1
  inPunctuator = false
  /** The name of the processor that runs, for messages. */
  node = ''
  /** Set by context.commit(). */
  commitRequested = false
  readonly systemTimeMs: () => number

  constructor(systemTimeMs: () => number) {
    this.systemTimeMs = systemTimeMs
  }

  metadata(): RecordMetadata | null {
    if (this.inPunctuator || this.offset < 0) return null
    return { topic: this.topic, partition: this.partition, offset: this.offset }
  }
}
