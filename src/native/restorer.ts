import { addon } from './addon.ts'
import type { ClientConfig } from './kafka-config.ts'
import type { TaskDatabase } from './task-database.ts'

export interface RestoreStore {
  /** Index into the database's stores. */
  readonly store: number
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** Where to begin; -1: the changelog's earliest offset, after the store's rows were removed. */
  readonly from: number
  /** The rows are older than the changelog remembers deletions: `done` rejects with `stale` unless it ends at `from`. Default: false. */
  readonly stale?: boolean
  /** Where to end. Rows that are newer already stay as they are. Default: the changelog's uncommitted end. */
  readonly until?: number
  /**
   * The database is to be the changelog's only writer from then on. What the changelog has beyond `until` nobody has committed: it is not applied, and
   * the rows of its keys count as changed, so that the next commit writes them again. Default: false.
   */
  readonly takesOver?: boolean
}

export interface RestoreProgress {
  readonly store: number
  readonly restoredRecords: number
  /** Where it begins, up to where the changelog was read, and the uncommitted end it restores to; each -1 until known. */
  readonly begin: number
  readonly position: number
  readonly end: number
}

/** Restores changelogs into databases on the process's restore threads, reading committed, up to the uncommitted end. An empty store with
 * much to restore gets its rows in bulk, as files, once it has them all; others get them as they come. A short restore never waits for
 * long ones. */
export interface Restorer {
  /** Resolves when every store has reached its end; rejects with `kafka:_AUTO_OFFSET_RESET` (offset out of range), `stale`,
   * or the first error; stores then have what was restored, with its offset, those restored in bulk all or nothing. */
  restore(database: TaskDatabase, stores: readonly RestoreStore[]): RestoreJob
  close(): void
}

export interface RestoreJob {
  readonly done: Promise<void>
  progress(): RestoreProgress[]
  /** Ends the job at the next batch; `done` rejects with `code: 'closed'`. */
  stop(): void
}

export const { Restorer } = addon as {
  /** One for the process. `memoryBytes` is for all restores together: what was fetched, and rows on their way into files. */
  Restorer: { acquire(config: ClientConfig, threads: number, memoryBytes: number): Restorer }
}
