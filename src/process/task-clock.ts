import type { RecordMetadata } from './record.ts'
import { RecordWatch, type Ticks } from './record-watch.ts'

/** A clock's reading. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly inPunctuator: boolean
  readonly node: string
}

/**
 * Where a task stands: the input record it is at, its stream time, and which node is running. Written once per record by the task, read by
 * contexts and stores. Kafka Streams' ProcessorRecordContext.
 */
export class TaskClock extends RecordWatch {
  topic = ''
  partition = 0
  offset = -1
  /** The timestamp of what is being processed: the record's that the node at work has got, or the punctuation's. */
  timestamp = 0
  /** The highest timestamp over the task's partitions, -1 before the first record. */
  streamTimeMs = -1
  inPunctuator = false
  /** The record at work is timed: see NodeCounters. */
  isSampled = false
  /** Of a sampled record: what the nodes below the one at work have taken so far, ms. */
  sampledBelowMs = 0
  /** Set by context.commit(). */
  commitRequested = false
  readonly systemTimeMs: () => number

  /** @param ticks by which records that take long are found. Default: none is */
  constructor(systemTimeMs: () => number, ticks?: Ticks) {
    super(ticks)
    this.systemTimeMs = systemTimeMs
  }

  /** For guarded nodes. */
  place(): Place {
    const { topic, partition, offset, timestamp, inPunctuator, node } = this
    return { topic, partition, offset, timestamp, inPunctuator, node }
  }

  /** Stands where it stood at `place`. */
  return(place: Place): void {
    this.topic = place.topic
    this.partition = place.partition
    this.offset = place.offset
    this.timestamp = place.timestamp
    this.inPunctuator = place.inPunctuator
    this.node = place.node
  }

  metadata(): RecordMetadata | null {
    if (this.inPunctuator || this.offset < 0) return null
    return { topic: this.topic, partition: this.partition, offset: this.offset }
  }
}
