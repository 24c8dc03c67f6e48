import { ScanIterator } from './scan-iterator.ts'
import type { StoreIterator } from './store.ts'

/** A range of rows' keys as they stand on disk: from <= key < to. */
export interface KeyRange {
  readonly from: Buffer
  readonly to: Buffer
}

/** Iterates ranges one after the other (a key's rows lie in one range for each segment), each opened when it is reached. */
export class SegmentScan<K, V> extends ScanIterator<K, V> {
  readonly #ranges: readonly KeyRange[]
  readonly #open: (range: KeyRange) => StoreIterator<K, V>
  readonly #onClose: (scan: StoreIterator<unknown, unknown>) => void
  #next = 0
  #current: StoreIterator<K, V> | null = null
  #closed = false

  /** @param open a range's rows; throws when the store has been committed since the scan began */
  constructor(
    ranges: readonly KeyRange[],
    open: (range: KeyRange) => StoreIterator<K, V>,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ) {
    super()
    this.#ranges = ranges
    this.#open = open
    this.#onClose = onClose
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    while (!this.#closed) {
      if (this.#current === null) {
        if (this.#next === this.#ranges.length) break
        this.#current = this.#open(this.#ranges[this.#next++]!)
      }
      const result = this.#current.next()
      if (result.done !== true) return result
      this.#current = null
    }
    this.close()
    return { done: true, value: undefined }
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#current?.close()
    this.#current = null
    this.#onClose(this)
  }
}
