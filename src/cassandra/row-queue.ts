import { bytesOf } from './column-types.ts'
import type { RowWrite } from './row-write.ts'

/** Rows of all tasks of a thread that may wait, or be on their way. */
export const QUEUE_ROWS_MAX = 8_192
/** Rows and bytes of one request. */
const BATCH_ROWS_MAX = 100
const BATCH_BYTES_MAX = 64 * 1_024
/** What a row takes besides its values: names, timestamps, the request's share. */
const ROW_OVERHEAD_BYTES = 64

/** A row, and whose it is. */
export interface QueuedRow<Owner> {
  readonly write: RowWrite
  readonly owner: Owner
  readonly bytes: number
}

/**
 * Rows that wait to be written, by table and partition: those of one partition go together. Partitions take turns, the one that has waited longest first.
 * What was taken counts until it is released.
 *
 * Invariants:
 * 1. Two rows of one partition leave in the order in which they came.
 * 2. `rows` and `bytes` are those that were added and not released.
 */
export class RowQueue<Owner> {
  readonly #bytesMax: number
  readonly #partitions = new Map<string, QueuedRow<Owner>[]>()
  rows = 0
  bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.rows >= QUEUE_ROWS_MAX || this.bytes >= this.#bytesMax
  }

  add(write: RowWrite, owner: Owner): void {
    const row = { write, owner, bytes: rowBytes(write) }
    this.rows++
    this.bytes += row.bytes
    const place = `${write.table.name}\0${write.partition}`
    const present = this.#partitions.get(place)
    if (present === undefined) this.#partitions.set(place, [row])
    else present.push(row)
  }

  /** @returns rows of one partition, to be released; null when none wait */
  take(): QueuedRow<Owner>[] | null {
    const [first] = this.#partitions
    if (first === undefined) return null
    const [place, rows] = first
    let count = 0
    let bytes = 0
    while (count < rows.length && count < BATCH_ROWS_MAX) {
      bytes += rows[count]!.bytes
      if (count > 0 && bytes > BATCH_BYTES_MAX) break
      count++
    }
    this.#partitions.delete(place)
    if (count === rows.length) return rows
    this.#partitions.set(place, rows.slice(count))
    return rows.slice(0, count)
  }

  /** They are written, or dropped. */
  release(rows: readonly QueuedRow<Owner>[]): void {
    for (const row of rows) this.bytes -= row.bytes
    this.rows -= rows.length
  }
}

function rowBytes({ key, values, source }: RowWrite): number {
  let sum = ROW_OVERHEAD_BYTES
  for (const value of key) sum += bytesOf(value)
  if (values !== null) for (const value of values) sum += bytesOf(value)
  if (source.asked === null) return sum
  const { sourceRawKey, sourceRawValue } = source.asked.context
  return sum + bytesOf(sourceRawKey) + bytesOf(sourceRawValue)
}
