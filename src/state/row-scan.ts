import type { Scan } from '../native.ts'
import type { ScanChunk, ScanChunks } from './scan-chunks.ts'
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

/** Iterates a native scan, a chunk of rows at a time. */
export class RowScan<K, V> extends ScanIterator<K, V> {
  readonly #scan: Scan
  readonly #chunks: ScanChunks
  readonly #decode: RowDecoder<K, V>
  readonly #onClose: (scan: StoreIterator<unknown, unknown>) => void
  #chunk: ScanChunk
  #count = 0
  #index = 0
  #closed = false

  constructor(
    scan: Scan,
    chunks: ScanChunks,
    decode: RowDecoder<K, V>,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ) {
    super()
    this.#scan = scan
    this.#chunks = chunks
    this.#decode = decode
    this.#onClose = onClose
    this.#chunk = chunks.takeSmall()
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    while (!this.#closed && (this.#index < this.#count || this.#fill())) {
      const index = this.#index++
      const { arena, columns, rows } = this.#chunk
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
    this.#scan.close()
    this.#chunks.give(this.#chunk)
    this.#onClose(this)
  }

  #fill(): boolean {
    if (this.#count > 0) this.#exchange(this.#chunks.takeLarge())
    let count = this.#scan.next(this.#chunk.arena, this.#chunk.columns, this.#chunk.rows)
    if (count < 0) {
      this.#exchange(this.#chunks.takeFor(-count))
      count = this.#scan.next(this.#chunk.arena, this.#chunk.columns, this.#chunk.rows)
    }
    this.#count = count
    this.#index = 0
    return count > 0
  }

  #exchange(chunk: ScanChunk): void {
    this.#chunks.give(this.#chunk)
    this.#chunk = chunk
  }
}
