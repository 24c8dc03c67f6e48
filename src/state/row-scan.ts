import type { Scan } from '../native.ts'
import type { StoreIterator } from './store.ts'

/** The first chunk is small, so that a short scan copies little; the others are large, so that a long one crosses seldom. */
const FIRST_CHUNK = { rows: 16, bytes: 4096 }
const CHUNK = { rows: 256, bytes: 64 * 1024 }

/** Iterates a native scan, a chunk of rows at a time. */
export class RowScan<K, V> implements StoreIterator<K, V> {
  readonly #scan: Scan
  readonly #decode: (buffer: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => { key: K; value: V }
  readonly #onClose: (scan: StoreIterator<unknown, unknown>) => void
  #rows = 0
  #columns: Int32Array
  #chunk: Buffer
  #count = 0
  #index = 0
  #closed = false

  constructor(
    scan: Scan,
    decode: (buffer: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => { key: K; value: V },
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ) {
    this.#scan = scan
    this.#decode = decode
    this.#onClose = onClose
    this.#rows = FIRST_CHUNK.rows
    this.#columns = new Int32Array(4 * FIRST_CHUNK.rows)
    this.#chunk = Buffer.allocUnsafe(FIRST_CHUNK.bytes)
  }

  next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    if (this.#closed) return { done: true, value: undefined }
    if (this.#index === this.#count && !this.#fill()) {
      this.close()
      return { done: true, value: undefined }
    }
    const index = this.#index++
    const columns = this.#columns
    const keyStart = columns[index]!
    const valueStart = columns[2 * this.#rows + index]!
    const value = this.#decode(
      this.#chunk,
      keyStart,
      keyStart + columns[this.#rows + index]!,
      valueStart,
      valueStart + columns[3 * this.#rows + index]!,
    )
    return { done: false, value }
  }

  return(): IteratorResult<{ readonly key: K; readonly value: V }> {
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.iterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#scan.close()
    this.#onClose(this)
  }

  #fill(): boolean {
    if (this.#count > 0 && this.#rows < CHUNK.rows) {
      this.#rows = CHUNK.rows
      this.#columns = new Int32Array(4 * CHUNK.rows)
      this.#chunk = Buffer.allocUnsafe(Math.max(CHUNK.bytes, this.#chunk.length))
    }
    let count = this.#scan.next(this.#chunk, this.#columns, this.#rows)
    if (count < 0) {
      this.#chunk = Buffer.allocUnsafe(-count)
      count = this.#scan.next(this.#chunk, this.#columns, this.#rows)
    }
    this.#count = count
    this.#index = 0
    return count > 0
  }
}
