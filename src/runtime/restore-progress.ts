import type { RestoreEvent } from './restore-events.ts'

/** How the restore of one store of one task goes, or how the last one has ended. Offsets are the changelog's. */
export interface RestoreProgress {
  readonly task: string
  readonly store: string
  readonly topic: string
  readonly partition: number
  /** `suspended`: the task left this process, or started anew, before all was restored. */
  readonly state: 'restoring' | 'restored' | 'suspended'
  readonly startingOffset: number
  /** The changelog's end when the restore began. */
  readonly endingOffset: number
  /** The next one to restore. */
  readonly position: number
  readonly totalRecords: number
  /** Since 1970, ms. */
  readonly startedMs: number
  /** null: it goes on. */
  readonly endedMs: number | null
}

/** As many are remembered; of more the first to have ended are forgotten. */
const PROGRESSES_MAX = 1_000

const states = { start: 'restoring', batch: 'restoring', end: 'restored', suspended: 'suspended' } as const

/** Remembers the last restore of each store that had anything to restore. Main thread. */
export class RestoreProgresses {
  readonly #all = new Map<string, RestoreProgress>()

  observe(event: RestoreEvent, nowMs: number): void {
    const { kind, task, store, topic, partition, startingOffset, endingOffset, position, totalRecords } =
      event
    const key = `${task} ${store}`
    const before = kind === 'start' ? undefined : this.#all.get(key)
    const state = states[kind]
    this.#all.delete(key)
    // A store that has all it needs.
    if (state !== 'restoring' && totalRecords === 0) return
    this.#all.set(key, {
      task,
      store,
      topic,
      partition,
      state,
      startingOffset,
      endingOffset,
      position,
      totalRecords,
      startedMs: before?.startedMs ?? nowMs,
      endedMs: state === 'restoring' ? null : nowMs,
    })
    if (this.#all.size > PROGRESSES_MAX) this.#forgetOne()
  }

  /** Those that go on first, then the last that have ended. */
  list(): RestoreProgress[] {
    return [...this.#all.values()].sort(
      (a, b) => (b.endedMs ?? Infinity) - (a.endedMs ?? Infinity) || a.startedMs - b.startedMs,
    )
  }

  #forgetOne(): void {
    for (const [key, { state }] of this.#all) {
      if (state === 'restoring') continue
      this.#all.delete(key)
      return
    }
  }
}
