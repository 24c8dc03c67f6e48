import type { ScanCursor, ScanCursors } from './scan-cursors.ts'
import { ScanIterator } from './scan-iterator.ts'
import type { StoreIterator } from './store.ts'

/** Makes a row of what lies in `arena`, null to pass over it. Must not keep the arena: it is used again. */
export type RowDecoder<K, V> = (
  arena: Buffer,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
) => { readonly key: K; readonly value: V } | null

/** Rows as they stand on disk: from <= key < to, null being unbounded. */
export interface RowRange {
  readonly from: Buffer | null
  readonly to: Buffer | null
}

/** Iterates a range of a store's rows, of which a cursor copies many at a time. The first ones are copied at once. */
export class RowScan<K, V> extends ScanIterator<K, V> {
  readonly #cursors: ScanCursors
  readonly #cursor: ScanCursor
  readonly #decode: RowDecoder<K, V>
  readonly #onClose: (scan: StoreIterator<unknown, unknown>) => void
  #count: number
  #index = 0
  #closed = false

  constructor(
    cursors: ScanCursors,
    { from, to }: RowRange,
    reverse: boolean,
    decode: RowDecoder<K, V>,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ) {
    super()
    this.#cursors = cursors
    this.#decode = decode
    this.#onClose = onClose
    this.#cursor = cursors.take()
    this.#count = this.#cursor.start(from, to, reverse)
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    while (!this.#closed && (this.#index < this.#count || this.#fill())) {
      const index = this.#index++
      const { arena, columns, rows } = this.#cursor
      const keyStart = columns[index]!
      const valueStart = columns[2 * rows + index]!
      const keyEnd = keyStart + columns[rows + index]!
      const valueEnd = valueStart + columns[3 * rows + index]!
      const row = this.#decode(arena, keyStart, keyEnd, valueStart, valueEnd)
      if (row !== null) return { done: false, value: row }
    }
    this.close()
    return { done: true, value: undefined }
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#cursors.give(this.#cursor)
    this.#onClose(this)
  }

  #fill(): boolean {
    if (this.#count === 0) return false
    this.#index = 0
    this.#count = this.#cursor.next()
    return this.#count > 0
  }
}
