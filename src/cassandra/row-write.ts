import type { ErrorHandlerContext } from '../process/error-handlers.ts'
import type { StreamRecord } from '../process/record.ts'
import type { WrittenTable } from './table-schema.ts'

/** The record that a row came from, for whoever decides on rows that are refused. */
export interface RowSource {
  readonly taskId: string
  readonly node: string
  readonly table: string
  /** null: nobody is asked. */
  readonly asked: {
    readonly context: ErrorHandlerContext
    /** As the sink has got it. */
    readonly record: StreamRecord<unknown, unknown>
  } | null
}

/** A row on its way to Cassandra. */
export interface RowWrite {
  readonly table: WrittenTable
  /** Tells the partitions of the table apart. */
  readonly partition: string
  /** In one request with rows of other partitions that the same node has, too: for rows that are written late, and many at a time. */
  readonly goesWithOthers: boolean
  /** As they are bound. */
  readonly key: readonly unknown[]
  /** Of the other columns; null: the row is deleted. */
  readonly values: readonly unknown[] | null
  /** 0: for ever. */
  readonly ttlSeconds: number
  /** us since 1970, or what takes its place in a table that nobody else writes to. */
  readonly timestampUs: number | bigint
  readonly source: RowSource
}

/** A row that Cassandra does not take, or a record that could not be made a row. */
export interface RefusedRow {
  readonly source: RowSource
  readonly error: Error
}

/** Where the rows of one task go. A row is pending until it is written, or refused; what is refused is kept until it is taken. */
export interface TaskRows {
  /** No further record is to be processed while it is. */
  readonly isFull: boolean
  /** Rows are pending and Cassandra does not answer: a commit of the task would wait in vain. */
  readonly isHeldUp: boolean
  /** Nothing is pending, and a commit is due: some were refused, or an earlier commit did without the task. */
  readonly wantsCommit: boolean
  add(write: RowWrite): void
  /** A record could not be made a row. */
  refuse(refused: RefusedRow): void
  takeRefused(): readonly RefusedRow[]
  /**
   * Waits until nothing is pending, not at all when that is in vain.
   *
   * @param waitMs at the most
   * @returns false when something still is: then the task is full until nothing is, so that the next commit finds it so
   * @throws WeirError when nothing can be written any more
   */
  settled(waitMs: number): Promise<boolean>
  /**
   * Waits for as long as it takes until `isDone`, by default until nothing is pending; also while Cassandra is away. At an end when the rows are closed, too.
   *
   * @throws WeirError when nothing can be written any more
   */
  written(isDone?: () => boolean): Promise<void>
  /** In the same way, until there is room for more. @returns false when there is none */
  hasRoom(waitMs: number): Promise<boolean>
  /** Drops what was not written. */
  close(): void
}
