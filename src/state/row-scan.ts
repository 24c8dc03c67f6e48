import type { ScanCursor, ScanCursors } from './scan-cursors.ts'
import { PartIterator, ScanIterator } from './scan-iterator.ts'
import type { StoreIterator } from './store.ts'

/** Makes a row of what lies in `arena`, null to pass over it. Must not keep the arena: it is used again. */
export type RowDecoder<K, V> = (
  arena: Buffer,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
) => { readonly key: K; readonly value: V } | null

/** Decodes a row's parts one without the other. Where it is known that no row is passed over. */
export interface PartDecoders<K, V> {
  readonly key: (arena: Buffer, start: number, end: number) => K
  readonly value: (arena: Buffer, start: number, end: number) => V
}

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
  readonly #parts: PartDecoders<K, V> | null
  #count: number
  #index = 0
  #closed = false

  constructor(
    cursors: ScanCursors,
    { from, to }: RowRange,
    reverse: boolean,
    decode: RowDecoder<K, V>,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
    parts: PartDecoders<K, V> | null = null,
  ) {
    super()
    this.#parts = parts
    this.#cursors = cursors
    this.#decode = decode
    this.#onClose = onClose
    this.#cursor = cursors.take()
    this.#count = this.#cursor.start(from, to, reverse)
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    while (this.#hasRow()) {
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

  override keys(): IterableIterator<K> {
    const decode = this.#parts?.key
    return decode === undefined ? super.keys() : this.#part(decode, 0)
  }

  override values(): IterableIterator<V> {
    const decode = this.#parts?.value
    return decode === undefined ? super.values() : this.#part(decode, 2)
  }

  /** @param column where the part's starts are; its lengths are in the next one */
  #part<T>(decode: (arena: Buffer, start: number, end: number) => T, column: number): IterableIterator<T> {
    return new PartIterator<T>(this, () => {
      if (!this.#hasRow()) {
        this.close()
        return { done: true, value: undefined }
      }
      const { arena, columns, rows } = this.#cursor
      const at = column * rows + this.#index++
      const start = columns[at]!
      return { done: false, value: decode(arena, start, start + columns[at + rows]!) }
    })
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#cursors.give(this.#cursor)
    this.#onClose(this)
  }

  #hasRow(): boolean {
    return !this.#closed && (this.#index < this.#count || this.#fill())
  }

  #fill(): boolean {
    if (this.#cursor.atEnd) return false
    this.#index = 0
    this.#count = this.#cursor.next()
    return this.#count > 0
  }
}
