import type { ThreadCounters } from '../observe/thread-counters.ts'
import type { SlowTime, Ticks } from '../process/record-watch.ts'
import type { TaskId } from './protocol.ts'

/** Lines of one thread within a minute. */
const LINES_MAX = 10
const WINDOW_MS = 60_000
const HASH_CHARACTERS = 16

/** A record whose processing took longer than WEIR_SLOW_RECORD_MS. */
export interface SlowRecord extends SlowTime {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
}

export interface SlowRecordsOptions extends Ticks {
  readonly counters: Pick<ThreadCounters, 'slowRecords'>
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  /** Default: the machine's, ms. */
  readonly nowMs?: () => number
}

/** Logs a stream thread's slow records, ten a minute, and counts all of them. Used by that thread. */
export class SlowRecords {
  readonly #options: SlowRecordsOptions
  readonly #nowMs: () => number
  #sinceMs = Number.NEGATIVE_INFINITY
  #lines = 0
  #leftOut = 0

  constructor(options: SlowRecordsOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  /** For the clocks of this thread's tasks. */
  get ticks(): Ticks {
    return this.#options
  }

  found(task: TaskId, { node, topic, partition, offset, key, durationMs }: SlowRecord): void {
    const { counters, warn } = this.#options
    counters.slowRecords++
    const now = this.#nowMs()
    if (now - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = now
      this.#lines = 0
    }
    if (this.#lines >= LINES_MAX) {
      this.#leftOut++
      return
    }
    this.#lines++
    const leftOut = this.#leftOut
    this.#leftOut = 0
    warn('a record took long', {
      task,
      processor: node,
      topic,
      partition,
      offset,
      keyHash: key === null ? null : keyHash(key),
      durationMs,
      leftOut,
    })
  }
}

/** The first eight bytes of the SHA-256 of a key, as it is in Kafka: the same key can be told again, and none is in the log. */
export function keyHash(key: Uint8Array): string {
  // Loaded here: a thread without slow records does without it.
  const { hash } = process.getBuiltinModule('node:crypto')
  return hash('sha256', key).slice(0, HASH_CHARACTERS)
}
