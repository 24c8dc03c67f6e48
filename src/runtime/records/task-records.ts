import type { TaskRows } from '../../cassandra/row-write.ts'
import type { RecordTracer } from '../../process/record-tracer.ts'
import type { TaskClock } from '../../process/task-clock.ts'
import type { OutputBatch } from '../../produce/output-batch.ts'
import type { CommitNeed } from '../commit-need.ts'
import type { PartitionGroup } from '../partition-group.ts'
import type { RecordFailures } from '../record-failures.ts'
import type { SlowRecord } from '../slow-records.ts'
import type { TaskInput } from '../task-input.ts'
import type { TaskPunctuations } from '../task-punctuations.ts'
import type { TaskScans } from '../task-scans.ts'

/** Why a record is dropped that Kafka gave no timestamp. */
export const NEGATIVE_TIMESTAMP = 'negative timestamp'

/** The way of a task's records from its inputs through its graph. Used by the task's thread. */
export interface TaskRecords {
  /** Records done with since the start. */
  readonly processed: number
  /** Records that were taken from their inputs and are not done with. */
  readonly inFlight: number
  /** True when there are some, and the next one waits for nothing but its promises. */
  readonly isUnderWay: boolean
  /** When a record is tried again that has failed with what may pass, ms; Infinity when there is none. */
  readonly retryMs: number
  /** When a promise has taken too long, ms; Infinity when none is under way. */
  readonly deadlineMs: number
  /**
   * Processes records until a batch is used up, `recordsMax` are done, or the output or the rows' queue is full. @returns how many
   * @throws WeirError deserialization-failed or processing-failed; the position is then that of the record that failed
   */
  process(recordsMax: number): number
  /** The same, of records that are in flight alone. */
  complete(recordsMax: number): number
  /** Nobody waits for what is in flight any more. */
  drop(): void
}

/** What it needs of its task. */
export interface TaskRecordsOptions {
  /** More may be added at its end. */
  readonly inputs: readonly TaskInput[]
  /** Of the inputs. */
  readonly partitions: PartitionGroup<TaskInput>
  readonly clock: TaskClock
  readonly output: OutputBatch
  /** For Cassandra; null: none. */
  readonly rows: Pick<TaskRows, 'isFull'> | null
  readonly failures: RecordFailures
  readonly punctuations: TaskPunctuations
  readonly need: CommitNeed
  /** null: a task without stores. */
  readonly scans: TaskScans | null
  readonly tracer: RecordTracer | null
  readonly counters: {
    recordDropped(reason: string): void
    readonly lateness: { observe(seconds: number): void }
  }
  /** Between batches: what the stores hold in memory comes back under its budget. */
  readonly trim: () => void
  /** A record has taken long. */
  readonly slow: (record: SlowRecord) => void
}
