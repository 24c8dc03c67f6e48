import type { TierOptions } from '../cassandra/cassandra-tier.ts'
import type { TaskRows } from '../cassandra/row-write.ts'
import type { PartitionInput } from '../consume/partition-input.ts'
import type { NodeCounters } from '../observe/node-counters.ts'
import type { TimeHistogram } from '../observe/time-histogram.ts'
import type { SinkTopic } from '../process/node.ts'
import type { RecordTracer } from '../process/record-tracer.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import type { Store } from '../state/store.ts'
import type { SubtopologyDefinition } from '../topology/definition.ts'
import type { ErrorPolicy } from './error-policy.ts'
import type { ErrorKind } from './error-responses.ts'
import type { TaskAssignment } from './protocol.ts'
import type { SlowRecords } from './slow-records.ts'
import type { TaskStateManager } from './task-state-manager.ts'

/** An input partition, and by which name the definition knows its topic. */
export interface SourcePartition {
  readonly definitionTopic: string
  readonly input: PartitionInput
}

/** What a task needs of its thread. */
export interface TaskOptions {
  readonly applicationId: string
  readonly assignment: TaskAssignment
  readonly definition: SubtopologyDefinition
  readonly inputs: readonly SourcePartition[]
  readonly output: OutputBatch
  /** Where rows for Cassandra go. Default: there are none. */
  readonly rows?: TaskRows | null
  /** What tiered stores are connected by. Default: they have what is here. */
  readonly tiers?: TierOptions | null
  readonly sinkTopic: (name: string) => SinkTopic
  readonly clock: TaskClock
  /** null: a task without stores. */
  readonly state: TaskStateManager | null
  /** What every processor can read. Default: none. */
  readonly globalStores?: ReadonlyMap<string, Store>
  /** The task fills the global stores. Default: false. */
  readonly isGlobal?: boolean
  readonly maxTaskIdleMs: number
  /** What becomes of records that cannot be read, processed or written. Default: they end the thread. */
  readonly errors?: {
    readonly policy: ErrorPolicy
    /** Larger outputs the producer refuses, in bytes of key, value and headers. */
    readonly recordBytesMax: number
  }
  /** Tells of each record's way. Default: none. */
  readonly tracer?: RecordTracer | null
  /** How long a record is tried again that fails with a RetriableError, ms. */
  readonly taskTimeoutMs: number
  /** Windows that have closed are looked for no more often, ms. Default: 1000, as in Kafka Streams. */
  readonly emitIntervalMs?: number
  readonly counters: {
    recordsEnforced: number
    readonly lateness: TimeHistogram
    readonly punctuateSeconds: TimeHistogram
    recordDropped(reason: string): void
    node(name: string, isLast: boolean): NodeCounters
    deadLetters: number
    retries: number
    punctuations: number
    errorHandled(kind: ErrorKind): void
    suppressionEmitted(node: string): void
  }
  /** Of async processors. */
  readonly promises: PromiseOptions
  /** Runs when keys that were fetched ahead have arrived, or could not be fetched. */
  readonly onPrefetched: (error: unknown) => void
  /** Is told of records that take long; the clock has its ticks. Default: nobody is. */
  readonly slowRecords?: SlowRecords | null
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/** How a task waits for the promises of its async processors. */
export interface PromiseOptions {
  /** One may take so long, ms; then its record has failed. */
  readonly timeoutMs: number
  /** No more records are taken when those in flight have so many bytes of keys and values. */
  readonly bytesMax: number
  /** Runs when one has settled: there may be something to process. */
  readonly onProgress: () => void
}
