import type { StoreIterator } from './store.ts'

/** What all scans have in common: however an iteration ends, the scan is closed. */
export abstract class ScanIterator<K, V> implements StoreIterator<K, V> {
  abstract next(): IteratorResult<{ readonly key: K; readonly value: V }>

  /** Idempotent. */
  abstract close(): void

  keys(): IterableIterator<K> {
    return new PartIterator(this, () => {
      const result = this.next()
      return result.done === true ? result : { done: false, value: result.value.key }
    })
  }

  values(): IterableIterator<V> {
    return new PartIterator(this, () => {
      const result = this.next()
      return result.done === true ? result : { done: false, value: result.value.value }
    })
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
}

/** Keys or values of a scan, which it closes when it ends. */
export class PartIterator<T> implements IterableIterator<T> {
  readonly #scan: { close(): void }
  readonly next: () => IteratorResult<T>

  constructor(scan: { close(): void }, next: () => IteratorResult<T>) {
    this.#scan = scan
    this.next = next
  }

  return(): IteratorResult<T> {
    this.#scan.close()
    return { done: true, value: undefined }
  }

  [Symbol.iterator](): this {
    return this
  }
}
