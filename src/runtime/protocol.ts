/**
 * What the main thread and a stream thread say to each other over the MessagePort of the thread's job. Requests are answered (see
 * channel.ts); notices are not. The main thread owns the group: which partitions are assigned, under which epoch, and every offset commit.
 */
import type { Config } from '../config/config.ts'
import type { GroupMember, TopicPartitionOffset } from '../native.ts'
import type { Position } from '../query/position.ts'
import type { QueryConsistency } from '../query/state-query.ts'
import type { WireAnswer, WireQuery } from '../query/wire-query.ts'
import type { RegisteredSchema } from '../serde/schema-source.ts'
import type { GlobalStoresHandle } from './global/protocol.ts'
import type { RestoreEvent } from './restore-events.ts'
import type { SchemaAnswers } from './schemas/thread-schemas.ts'

/** `<sub-topology>_<partition>`. */
export type TaskId = string

/** What a stream thread is started with. All of it can be cloned. */
export interface StreamThreadJob {
  readonly threadIndex: number
  readonly config: Config
  /** The module that default-exports the topology: an absolute file URL. */
  readonly moduleUrl: string
  /** Kept with the state folder: a process that comes back with its disk is the same. */
  readonly processId: string
  /** Native id of the process's consumer. */
  readonly consumerId: number
  /** Every topic the topology reads or writes, by its real name. */
  readonly topics: Readonly<Record<string, TopicInfo>>
  /** null: the topology has no global stores. */
  readonly globalStores: GlobalStoresHandle | null
  /** null: no serde of the topology asks a schema registry. */
  readonly schemas: SchemaAnswers | null
  /** Int32 counters, one per thread; a thread adds to its own at each turn of its loop. */
  readonly heartbeats: SharedArrayBuffer
  /** One Int32, which the main thread raises regularly: see ticker.ts. It stands still when nobody looks for slow records. */
  readonly ticks: SharedArrayBuffer
}

export interface TopicInfo {
  readonly partitions: number
  /** A UUID as text, '' where the cluster cannot tell. */
  readonly id: string
  /** Of a changelog: how long it remembers a deletion at least (delete.retention.ms). Absent where the cluster cannot tell. */
  readonly deleteRetentionMs?: number
}

export interface TaskAssignment {
  readonly id: TaskId
  readonly subtopology: number
  readonly partition: number
  /** Changes with each assignment of the task's partitions; a commit under an older one is refused. */
  readonly epoch: number
  /** Where to read on, for each of the task's input partitions: committed, or as the offset reset says. `offset` is never negative. */
  readonly inputs: readonly TopicPartitionOffset[]
}

/** A query of a store, for the thread that has the task. */
export interface ThreadQuery {
  readonly store: string
  /** null: a global store. */
  readonly task: TaskId | null
  /** Under which the task was handed out; of no matter for a stale answer. */
  readonly epoch: number
  readonly query: WireQuery
  readonly consistency: QueryConsistency
  readonly positionBound: Position | null
  /** After it nobody waits for the answer, ms since 1970. */
  readonly deadlineMs: number
}

/** Main thread to stream thread. */
export interface ThreadRequests {
  /** Opens (or takes up again, when they are suspended here) these tasks. Answered at once: restoring goes on in the background. */
  assign: { request: { tasks: readonly TaskAssignment[] }; response: void }
  /** What there is besides the topics that the thread was started with, or what has changed of them. */
  topics: { request: { topics: Readonly<Record<string, TopicInfo>> }; response: void }
  /** Commits (unless lost) and stops processing these tasks; they stay open. A lost task drops everything uncommitted. */
  suspend: { request: { tasks: readonly TaskId[]; lost: boolean }; response: void }
  /** Closes tasks that are suspended. */
  release: { request: { tasks: readonly TaskId[] }; response: void }
  /** Answered when the thread has loaded all that its topology needs. */
  loaded: { request: Record<string, never>; response: void }
  /** Processes and punctuates no more, or again; restoring and commits go on. Answered between two turns. */
  pause: { request: { isPaused: boolean }; response: void }
  /** Commits everything, closes everything, and ends the job. */
  stop: { request: Record<string, never>; response: void }
  /** prom-client's getMetricsAsJSON of this thread's registry. */
  metrics: { request: Record<string, never>; response: unknown }
  /** Answered between two turns. Rejects with the code of a QueryError. */
  query: { request: ThreadQuery; response: WireAnswer }
  /** For the live view and the health page. */
  status: { request: Record<string, never>; response: ThreadStatus }
}

/** The right to commit one transaction: until it is given back, no rebalance is answered that takes a task of it away. */
export interface CommitLease {
  readonly lease: number
  /** Who commits. */
  readonly member: GroupMember
  /** Of the offsets asked for those that are to be committed. */
  readonly offsets: readonly TopicPartitionOffset[]
}

/** Stream thread to main thread. */
export interface MainRequests extends SchemaRequests {
  /** Commits source offsets under the tasks' epochs. Rejects with code `fenced` when an epoch is no longer the current one. */
  commit: {
    request: { tasks: readonly { id: TaskId; epoch: number }[]; offsets: readonly TopicPartitionOffset[] }
    response: void
  }
  /** Before the commit of a transaction, under the tasks' epochs. Rejects with code `fenced` as `commit`. */
  'begin-commit': {
    request: { tasks: readonly { id: TaskId; epoch: number }[]; offsets: readonly TopicPartitionOffset[] }
    response: CommitLease
  }
  /** Gives the right back. */
  'end-commit': { request: { lease: number; isCommitted: boolean }; response: void }
  /**
   * Asks the group whether these tasks are still this process's, after a pause in which they may have been lost. Rejects with code `fenced`
   * when they are not.
   */
  confirm: { request: { tasks: readonly { id: TaskId; epoch: number }[] }; response: void }
}

/** What threads ask of the schema registry. */
export interface SchemaRequests {
  /** The schema of an id, asked for until the registry answers; null: it has none. With `reply` the answer is put there, too. */
  schema: {
    request: { readonly id: number; readonly reply: SharedArrayBuffer | null }
    response: RegisteredSchema | null
  }
  /** What subjects have by now, and what else is known. */
  schemas: { request: { readonly subjects: readonly string[] }; response: readonly RegisteredSchema[] }
}

/** A line for the main thread's logger. */
export interface LogNotice {
  readonly type: 'log'
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Record<string, unknown>
}

export type ThreadNotice =
  | { readonly type: 'task-state'; readonly task: TaskId; readonly state: TaskState }
  /** Tasks were closed with what they had not committed, and may be handed out again. */
  | {
      readonly type: 'start-over'
      readonly tasks: readonly { id: TaskId; epoch: number }[]
      readonly failures: number
    }
  | LogNotice
  /** Cassandra does not answer the thread, for this reason; or answers again: null. */
  | { readonly type: 'cassandra'; readonly reason: string | null }
  /** A restore began, went on or ended. */
  | { readonly type: 'restore'; readonly event: RestoreEvent }
  /** What a topology module wants to show in a live view (see observe/); bounded. */
  | { readonly type: 'show'; readonly line: string }
  /** The thread cannot go on; its job ends. */
  | { readonly type: 'failed'; readonly error: SerializedError }

/**
 *   created -> restoring -> running <-> suspended -> closed
 */
export type TaskState = 'created' | 'restoring' | 'running' | 'suspended' | 'closed'

export interface SerializedError {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly stack: string
}

export interface TaskStatus {
  readonly id: TaskId
  readonly state: TaskState
  readonly recordsProcessed: number
  /** Changelog records still to restore. */
  readonly restoreRemaining: number
  /** Records between the task's position and its inputs' ends, as far as known. */
  readonly lag: number
  readonly stateBytes: number
}

export interface ThreadStatus {
  readonly threadIndex: number
  readonly recordsProcessed: number
  readonly recordsProduced: number
  readonly tasks: readonly TaskStatus[]
}
