import type { TopicPartitionOffset } from '../native.ts'
import type { CommitLease, LogNotice } from './protocol.ts'
import type { RestoreEvent } from './restore-events.ts'
import type { Task } from './task.ts'

/** What a stream thread asks of the main thread. */
export interface StreamThreadHost {
  /** Commits source offsets for tasks that are still this thread's. */
  commitOffsets(tasks: readonly Task[], offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** The right to commit a transaction for tasks that are still this thread's; rejects with code `fenced` when one is not. */
  beginCommit(tasks: readonly Task[], offsets: readonly TopicPartitionOffset[]): Promise<CommitLease>
  /** The transaction has ended. REQUIRES that no later commit of these tasks is under way. */
  endCommit(lease: number, isCommitted: boolean): Promise<void>
  /** These tasks were closed with what they had not committed, and can be handed out again. @param failures since the last commit that succeeded */
  startOver(tasks: readonly Task[], failures: number): void
  /** Asks the group whether tasks are still this process's; rejects with code `fenced` when not. */
  confirm(tasks: readonly Task[]): Promise<void>
  taskState(task: Task): void
  /** Cassandra does not answer this thread, for this reason; or answers again: null. */
  cassandraAway(reason: string | null): void
  restoreEvent(event: RestoreEvent): void
  log(level: LogNotice['level'], message: string, fields: LogNotice['fields']): void
}
