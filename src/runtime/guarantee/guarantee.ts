import type { DrainStages } from '../../commit/commit.ts'
import type { Config } from '../../config/config.ts'
import type { FailedOutputs } from '../failed-outputs.ts'
import type { FailedRows } from '../failed-rows.ts'
import type { Heartbeat } from '../heartbeat.ts'
import type { StreamThreadHost } from '../stream-thread-host.ts'
import type { Task } from '../task.ts'
import type { TaskManager } from '../task-manager.ts'
import type { ThreadResources } from '../thread-resources.ts'

/**
 * What a stream thread does by its processing guarantee: how it commits, and how it goes on after what failed. Used by that thread; no task
 * processes while one of these runs.
 */
export interface Guarantee {
  /** After a record that cannot be processed, what came before it can be committed: what the record itself has done already may remain. */
  readonly commitsBeforeFailure: boolean
  /** Commit after each task, not at the end of a turn. */
  readonly commitsEachTask: boolean
  /** Before the first task is opened. @param signal the thread is to stop: what is not done by then is left */
  start(signal: AbortSignal): Promise<void>
  /** Before a task with rows for Cassandra processes anything: that it has started is committed, where that is possible. */
  claim(task: Task): Promise<void>
  /** REQUIRES, where there is one transaction for all, all that need a commit. @returns the changelog records produced */
  commit(tasks: readonly Task[]): Promise<number>
  /** A commit of these tasks failed. Resolves when the thread can go on. @throws error when it cannot */
  commitFailed(error: unknown, tasks: readonly Task[]): Promise<void>
  /** Records were not taken by the producer. Resolves when the thread can go on. @throws error when it cannot */
  sendFailed(error: unknown): Promise<void>
  /** The process stood still: before anything else is processed. @returns true when tasks were given up */
  afterPause(): Promise<boolean>
  /** Other members have got some of the tasks. */
  beforeLoss(): Promise<void>
  /** The tasks are closed, the producer is not yet. */
  close(): Promise<void>
}

/** What a guarantee needs of its thread. */
export interface GuaranteeOptions {
  readonly config: Config
  readonly host: StreamThreadHost
  readonly resources: Pick<ThreadResources, 'producer' | 'output'>
  readonly tasks: TaskManager
  readonly heartbeat: Heartbeat
  /** null: nobody is asked about outputs that brokers refuse. */
  readonly failedOutputs: FailedOutputs | null
  /** Rows for Cassandra; null: the topology has none. Default: that. */
  readonly rows?: { readonly failed: FailedRows; readonly timeoutMs: number } | null
}

/** How a commit deals with rows for Cassandra. */
export function rowStages(rows: GuaranteeOptions['rows']): Pick<DrainStages, 'rowsTimeoutMs' | 'settleRows'> {
  if (rows === undefined || rows === null) return {}
  return { rowsTimeoutMs: rows.timeoutMs, settleRows: (refused) => rows.failed.settle(refused) }
}
