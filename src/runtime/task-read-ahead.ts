import type { RecordBatch } from '../consume/record-batch.ts'
import type { TaskDatabase } from '../native.ts'
import { KeyPrefetcher } from './key-prefetcher.ts'
import type { TaskInput } from './task-input.ts'

/** How a task's batches get from their inputs to where they can be processed: polled, waited for where a schema is to come, their rows fetched. */
export class TaskReadAhead {
  readonly #inputs: readonly TaskInput[]
  readonly #prefetcher: KeyPrefetcher | null
  readonly #onPrefetched: (error: unknown) => void

  /**
   * @param inputs the task's, which may become more
   * @param database null: a task without stores
   * @param onPrefetched runs when a batch may be ready (null), or cannot be made so (the error)
   */
  constructor(
    inputs: readonly TaskInput[],
    database: TaskDatabase | null,
    onPrefetched: (error: unknown) => void,
  ) {
    this.#inputs = inputs
    this.#prefetcher = database === null ? null : new KeyPrefetcher(database, onPrefetched)
    this.#onPrefetched = onPrefetched
  }

  /** Polls what there is, and starts fetching its keys. @returns true when records arrived */
  poll(): boolean {
    let arrived = false
    for (const one of this.#inputs) {
      const batch = one.input.readAhead()
      if (batch === null) continue
      arrived = true
      const awaited = one.awaits(batch)
      if (awaited === null) this.#prefetch(one, batch)
      else void this.#prefetchAfter(awaited, one, batch)
    }
    return arrived
  }

  /** Resolves when no fetch of keys is under way. */
  settled(): Promise<void> {
    return this.#prefetcher?.settled() ?? Promise.resolve()
  }

  #prefetch(one: TaskInput, batch: RecordBatch): void {
    if (this.#prefetcher === null || one.stores.length === 0) one.input.nextReady = true
    else this.#prefetcher.fetch(one, batch)
  }

  /** A batch that cannot be read yet waits, and others go on. It may be dropped meanwhile. */
  async #prefetchAfter(awaited: Promise<unknown>, one: TaskInput, batch: RecordBatch): Promise<void> {
    const { generation } = batch
    await awaited
    if (one.input.next !== batch || batch.generation !== generation) return
    try {
      this.#prefetch(one, batch)
      this.#onPrefetched(null)
    } catch (error) {
      this.#onPrefetched(error)
    }
  }
}
