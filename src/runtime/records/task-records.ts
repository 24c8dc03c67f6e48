import type { RecordTracer } from '../../process/record-tracer.ts'
import type { TaskClock } from '../../process/task-clock.ts'
import type { OutputBatch } from '../../produce/output-batch.ts'
import type { CommitNeed } from '../commit-need.ts'
import type { PartitionGroup } from '../partition-group.ts'
import type { RecordFailures } from '../record-failures.ts'
import type { TaskInput } from '../task-input.ts'
import type { TaskPunctuations } from '../task-punctuations.ts'
import type { TaskScans } from '../task-scans.ts'

/** The way of a task's records from its inputs through its graph. Used by the task's thread. */
export interface TaskRecords {
  /** Records done with since the start. */
  readonly processed: number
  /**
   * Processes records until a batch is used up, `recordsMax` are done, or the output is full. @returns how many
   * @throws WeirError deserialization-failed or processing-failed; the position is then that of the record that failed
   */
  process(recordsMax: number): number
}

/** What it needs of its task. */
export interface TaskRecordsOptions {
  /** More may be added at its end. */
  readonly inputs: readonly TaskInput[]
  /** Of the inputs. */
  readonly partitions: PartitionGroup<TaskInput>
  readonly clock: TaskClock
  readonly output: OutputBatch
  readonly failures: RecordFailures
  readonly punctuations: TaskPunctuations
  readonly need: CommitNeed
  /** null: a task without stores. */
  readonly scans: TaskScans | null
  readonly tracer: RecordTracer | null
  readonly counters: { recordsDropped: number }
  /** Between batches: what the stores hold in memory comes back under its budget. */
  readonly trim: () => void
}
