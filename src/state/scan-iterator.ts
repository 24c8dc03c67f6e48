import type { StoreIterator } from './store.ts'

/** What all scans have in common: however an iteration ends, the scan is closed. */
export abstract class ScanIterator<K, V> implements StoreIterator<K, V> {
  abstract next(): IteratorResult<{ readonly key: K; readonly value: V }>

  /** Idempotent. */
  abstract close(): void

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
}
