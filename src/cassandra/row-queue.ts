import { bytesOf } from './column-types.ts'
import type { RowWrite } from './row-write.ts'

/** Rows of all tasks of a thread that may wait, or be on their way. */
export const QUEUE_ROWS_MAX = 8_192
/** Rows and bytes of one request, of one partition. */
const BATCH_ROWS_MAX = 100
const BATCH_BYTES_MAX = 64 * 1_024
/** Partitions and bytes of one request of several: of more, Cassandra writes warnings (unlogged_batch_across_partitions_warn_threshold, batch_size_warn_threshold). */
const SHARED_PARTITIONS_MAX = 10
const SHARED_BYTES_MAX = 4 * 1_024
/** What a row takes besides its values: names, timestamps, the request's share. */
const ROW_OVERHEAD_BYTES = 64

/** A row, and whose it is. */
export interface QueuedRow<Owner> {
  readonly write: RowWrite
  readonly owner: Owner
  readonly bytes: number
}

interface Partition<Owner> {
  readonly place: string
  /** null: it goes alone. */
  readonly group: string | null
  rows: QueuedRow<Owner>[]
}

/**
 * Rows that wait to be written, by table and partition: those of one partition go together, and small ones with others of their group. Partitions take turns, the one that has waited longest
 * first. What was taken counts until it is released.
 *
 * Invariants:
 * 1. Two rows of one partition leave in the order in which they came.
 * 2. `rows` and `bytes` are those that were added and not released.
 */
export class RowQueue<Owner> {
  readonly #bytesMax: number
  readonly #groupOf: (write: RowWrite) => string | null
  /** In the order of their turns. */
  readonly #partitions = new Map<string, Partition<Owner>>()
  /** Those that wait, of each group. */
  readonly #groups = new Map<string, Set<Partition<Owner>>>()
  rows = 0
  bytes = 0

  /** @param groupOf of a row, whose partition goes with others of the group; null: alone. Default: null */
  constructor(bytesMax: number, groupOf: (write: RowWrite) => string | null = () => null) {
    this.#bytesMax = bytesMax
    this.#groupOf = groupOf
  }

  get isFull(): boolean {
    return this.rows >= QUEUE_ROWS_MAX || this.bytes >= this.#bytesMax
  }

  add(write: RowWrite, owner: Owner): void {
    const row = { write, owner, bytes: rowBytes(write) }
    this.rows++
    this.bytes += row.bytes
    const table = write.table.name
    const place = `${table}\0${write.partition}`
    const present = this.#partitions.get(place)
    if (present !== undefined) {
      present.rows.push(row)
      return
    }
    const group = this.#groupOf(write)
    this.#enqueue({ place, group: group === null ? null : `${table}\0${group}`, rows: [row] })
  }

  /** @returns rows of one table, to be released: of one partition, or of several of a group; null when none wait */
  take(): QueuedRow<Owner>[] | null {
    const [first] = this.#partitions.values()
    if (first === undefined) return null
    this.#dequeue(first)
    const { rows, group } = first
    const { count, bytes } = limited(rows)
    if (count < rows.length) {
      this.#enqueue({ ...first, rows: rows.slice(count) })
      return rows.slice(0, count)
    }
    return group === null ? rows : this.#withOthers(rows, bytes, group)
  }

  #withOthers(first: QueuedRow<Owner>[], firstBytes: number, group: string): QueuedRow<Owner>[] {
    const rows = first
    let bytes = firstBytes
    let partitions = 1
    for (const other of this.#groups.get(group) ?? []) {
      for (const row of other.rows) bytes += row.bytes
      if (bytes > SHARED_BYTES_MAX) break
      this.#dequeue(other)
      rows.push(...other.rows)
      if (++partitions === SHARED_PARTITIONS_MAX) break
    }
    return rows
  }

  #enqueue(partition: Partition<Owner>): void {
    this.#partitions.set(partition.place, partition)
    if (partition.group === null) return
    const others = this.#groups.get(partition.group)
    if (others === undefined) this.#groups.set(partition.group, new Set([partition]))
    else others.add(partition)
  }

  #dequeue(partition: Partition<Owner>): void {
    this.#partitions.delete(partition.place)
    if (partition.group === null) return
    const others = this.#groups.get(partition.group)!
    others.delete(partition)
    if (others.size === 0) this.#groups.delete(partition.group)
  }

  /** They are written, or dropped. */
  release(rows: readonly QueuedRow<Owner>[]): void {
    for (const row of rows) this.bytes -= row.bytes
    this.rows -= rows.length
  }
}

/** As many rows of a partition as one request takes: one at least. */
function limited(rows: readonly { readonly bytes: number }[]): { count: number; bytes: number } {
  let count = 0
  let bytes = 0
  while (count < rows.length && count < BATCH_ROWS_MAX) {
    const more = bytes + rows[count]!.bytes
    if (count > 0 && more > BATCH_BYTES_MAX) break
    bytes = more
    count++
  }
  return { count, bytes }
}

function rowBytes({ key, values, source }: RowWrite): number {
  let sum = ROW_OVERHEAD_BYTES
  for (const value of key) sum += bytesOf(value)
  if (values !== null) for (const value of values) sum += bytesOf(value)
  if (source.asked === null) return sum
  const { sourceRawKey, sourceRawValue } = source.asked.context
  return sum + bytesOf(sourceRawKey) + bytesOf(sourceRawValue)
}
