/** How a store's restore goes, as a stream thread tells it. Offsets are the changelog's. */
export interface RestoreEvent {
  readonly kind: 'start' | 'batch' | 'end' | 'suspended'
  readonly task: string
  readonly store: string
  readonly topic: string
  readonly partition: number
  /** Where the restore begins, and where it ends: the changelog's end when it was asked. */
  readonly startingOffset: number
  readonly endingOffset: number
  /** Up to where it was read; not read itself. */
  readonly position: number
  /** Since the event before. */
  readonly records: number
  readonly totalRecords: number
}

/** What a running restore has told of one store. */
export interface RestoredStore {
  readonly store: string
  readonly topic: string
}

interface Told {
  startingOffset: number
  endingOffset: number
  position: number
  totalRecords: number
}

interface Progress {
  readonly restoredRecords: number
  readonly begin: number
  readonly position: number
  readonly end: number
}

/**
 * Turns the progress of a task's restore into events: one start for each store when its offsets are known, batches while it is read, and an end
 * for all of them when all are done; or suspended, when the task goes before.
 */
export class RestoreEvents {
  readonly #task: string
  readonly #partition: number
  readonly #stores: readonly RestoredStore[]
  readonly #told: (Told | null)[]
  readonly #tell: (event: RestoreEvent) => void

  constructor(
    task: string,
    partition: number,
    stores: readonly RestoredStore[],
    tell: (event: RestoreEvent) => void,
  ) {
    this.#task = task
    this.#partition = partition
    this.#stores = stores
    this.#told = stores.map(() => null)
    this.#tell = tell
  }

  /** @param progress of each store, in their order */
  progressed(progress: readonly Progress[]): void {
    for (const [index, { restoredRecords, begin, position, end }] of progress.entries()) {
      if (begin < 0 || end < 0) continue
      let told = this.#told[index]!
      if (told === null) {
        told = { startingOffset: begin, endingOffset: end, position: begin, totalRecords: 0 }
        this.#told[index] = told
        this.#event('start', index, told, 0)
      }
      const records = restoredRecords - told.totalRecords
      if (records === 0) continue
      told.position = position
      told.totalRecords = restoredRecords
      this.#event('batch', index, told, records)
    }
  }

  /** @param kind `end` when every store has all that its changelog has */
  finished(kind: 'end' | 'suspended'): void {
    for (const [index, told] of this.#told.entries()) {
      if (told !== null) this.#event(kind, index, told, 0)
      this.#told[index] = null
    }
  }

  #event(kind: RestoreEvent['kind'], index: number, told: Told, records: number): void {
    const { store, topic } = this.#stores[index]!
    this.#tell({ kind, task: this.#task, store, topic, partition: this.#partition, records, ...told })
  }
}
