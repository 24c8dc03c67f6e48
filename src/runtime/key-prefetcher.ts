import type { RecordBatch } from '../consume/record-batch.ts'
import type { TaskDatabase } from '../native.ts'
import { Prefetch, type PreparingStore } from '../state/prefetch.ts'
import type { TaskInput } from './task-input.ts'

/**
 * Fetches the rows that a task's new batches will read, while others are processed. Owns how many fetches are under way: the task waits for
 * them before a commit, a suspension and its close.
 */
export class KeyPrefetcher {
  readonly #database: TaskDatabase
  readonly #onPrefetched: (error: unknown) => void
  #running = 0
  readonly #onSettled: (() => void)[] = []

  /** @param onPrefetched runs when rows have arrived (null), or could not be fetched (the error) */
  constructor(database: TaskDatabase, onPrefetched: (error: unknown) => void) {
    this.#database = database
    this.#onPrefetched = onPrefetched
  }

  /** Pins the stores of `one`, and makes its next batch, `batch`, ready when the rows that it will read are in the caches. */
  fetch(one: TaskInput, batch: RecordBatch): void {
    const { input, stores } = one
    one.pin()
    const { generation } = batch
    let waiting = 0
    stores.forEach(({ store, index }, position) => {
      if ('prepare' in store) {
        waiting++
        // Of what the batch was before.
        batch.prefetches[position]?.entries.fill(undefined)
        this.#prepare(store, batch, () => {
          if (input.next === batch && batch.generation === generation && --waiting === 0)
            input.nextReady = true
        })
        return
      }
      batch.prefetches[position] ??= new Prefetch(batch.capacity)
      const prefetch = batch.prefetches[position]
      prefetch.collect(batch, store)
      if (prefetch.count === 0) return
      waiting++
      this.#running++
      const land = (rows: Buffer): void => {
        // The task may have dropped the batch meanwhile.
        if (input.next !== batch || batch.generation !== generation) return
        prefetch.land(batch, store, rows)
        if (--waiting === 0) input.nextReady = true
      }
      prefetch.start(this.#database, index, batch, store.lowerIndex).then(
        (rows) => {
          const awaited = input.next === batch ? prefetch.awaits(batch, store, rows) : null
          if (awaited === null) land(rows)
          else void this.#landAfter(awaited, () => land(rows))
          this.#ended(null)
        },
        (error: unknown) => this.#ended(error),
      )
    })
    if (waiting === 0) input.nextReady = true
  }

  #prepare(store: PreparingStore, batch: RecordBatch, land: () => void): void {
    this.#running++
    store.prepare(batch).then(
      ({ loads }) => {
        if (loads === null) land()
        else void this.#landAfter(loads, land)
        this.#ended(null)
      },
      (error: unknown) => this.#ended(error),
    )
  }

  /** Rows that cannot be read yet wait, and the batch with them. They are fetched already: a commit does not wait. */
  async #landAfter(awaited: Promise<unknown>, land: () => void): Promise<void> {
    await awaited
    try {
      land()
      this.#onPrefetched(null)
    } catch (error) {
      this.#onPrefetched(error)
    }
  }

  /** Resolves when no fetch is under way. */
  settled(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onSettled.push(resolve))
  }

  #ended(error: unknown): void {
    this.#running--
    if (this.#running === 0) for (const resolve of this.#onSettled.splice(0)) resolve()
    this.#onPrefetched(error)
  }
}
