import fc from 'fast-check'

import type { TaskDatabase } from '../../src/native.ts'
import type { PrefetchingStore } from '../../src/state/prefetch.ts'
import type { StateStore } from '../../src/state/state-store.ts'

/** Keys of a batch that is read ahead; and the end of the oldest one, which was processed. */
export interface ReadAhead {
  readonly do: 'readAhead'
  readonly keys: readonly string[]
}
export interface Processed {
  readonly do: 'processed'
}
const processed = fc.constant<Processed>({ do: 'processed' })

/** Commands that read batches ahead and end them, with their weights. @param key of a record */
export function readAheads(
  key: fc.Arbitrary<string>,
): { weight: number; arbitrary: fc.Arbitrary<ReadAhead | Processed> }[] {
  const keys = fc.uniqueArray(key, { maxLength: 4 })
  return [
    { weight: 10, arbitrary: fc.record({ do: fc.constant('readAhead' as const), keys }) },
    { weight: 10, arbitrary: processed },
  ]
}

/** A batch whose keys are looked up when it comes, and whose rows arrive later, as late as they can: when it has been processed. */
export class ReadAheadBatch {
  readonly #store: StateStore & PrefetchingStore
  readonly #pin: number
  readonly #fetched: { readonly key: Buffer; readonly row: Buffer; readonly length: number }[] = []

  constructor(
    store: StateStore & PrefetchingStore,
    database: TaskDatabase,
    index: number,
    keys: readonly string[],
  ) {
    this.#store = store
    this.#pin = store.pin()
    for (const text of keys) {
      const key = Buffer.from(text)
      if (store.cache.find(key, 0, key.length) !== undefined) continue
      const row = Buffer.alloc(1024)
      this.#fetched.push({ key, row, length: database.get(index, key, 0, key.length, row) })
    }
  }

  processed(): void {
    for (const { key, row, length } of this.#fetched) this.#store.accept(key, 0, key.length, row, 0, length)
    this.#store.cache.unpin(this.#pin)
  }
}
