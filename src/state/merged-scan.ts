import type { RowDecoder, RowScan } from './row-scan.ts'
import { ScanIterator } from './scan-iterator.ts'
import type { StoreIterator } from './store.ts'

/** A row as it stands in its scan's memory: until that scan's next one. */
export interface RawRow {
  readonly key: Buffer
  readonly value: Buffer
}

/** For the scans that are merged. */
export const rawRow: RowDecoder<Buffer, Buffer> = (arena, keyStart, keyEnd, valueStart, valueEnd) => ({
  key: arena.subarray(keyStart, keyEnd),
  value: arena.subarray(valueStart, valueEnd),
})

/** Two scans of raw rows, of the same range and in the same order, as one: of a key that both have, the row of `upper`. */
export class MergedScan<K, V> extends ScanIterator<K, V> {
  readonly #upper: RowScan<Buffer, Buffer>
  readonly #lower: RowScan<Buffer, Buffer>
  readonly #reverse: boolean
  readonly #decode: (row: RawRow) => { readonly key: K; readonly value: V } | null
  readonly #onClose: (scan: StoreIterator<unknown, unknown>) => void
  /** The first rows that were not given yet. undefined: none is left; null: the scan is to be asked. */
  #upperRow: RawRow | undefined | null = null
  #lowerRow: RawRow | undefined | null = null
  #closed = false

  /** @param decode null to pass over a row. Must not keep its bytes */
  constructor(
    upper: RowScan<Buffer, Buffer>,
    lower: RowScan<Buffer, Buffer>,
    reverse: boolean,
    decode: (row: RawRow) => { readonly key: K; readonly value: V } | null,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ) {
    super()
    this.#upper = upper
    this.#lower = lower
    this.#reverse = reverse
    this.#decode = decode
    this.#onClose = onClose
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    for (let row = this.#next(); row !== undefined; row = this.#next()) {
      const decoded = this.#decode(row)
      if (decoded !== null) return { done: false, value: decoded }
    }
    this.close()
    return { done: true, value: undefined }
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#upper.close()
    this.#lower.close()
    this.#onClose(this)
  }

  #next(): RawRow | undefined {
    if (this.#closed) return undefined
    if (this.#upperRow === null) this.#upperRow = rowOf(this.#upper)
    if (this.#lowerRow === null) this.#lowerRow = rowOf(this.#lower)
    const upper = this.#upperRow
    const lower = this.#lowerRow
    const order = upper === undefined ? 1 : lower === undefined ? -1 : this.#compare(upper, lower)
    // Its scan may go on only when the row was decoded.
    if (order <= 0) this.#upperRow = null
    if (order >= 0) this.#lowerRow = null
    return order <= 0 ? upper : lower
  }

  #compare(upper: RawRow, lower: RawRow): number {
    const order = Buffer.compare(upper.key, lower.key)
    return this.#reverse ? -order : order
  }
}

function rowOf(scan: RowScan<Buffer, Buffer>): RawRow | undefined {
  const result = scan.next()
  return result.done === true ? undefined : result.value
}
