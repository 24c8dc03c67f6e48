import type { Cancellable, PunctuationType, Punctuator } from './processor.ts'

interface Schedule {
  readonly node: string
  readonly intervalMs: number
  readonly punctuator: Punctuator
  /** The time at or after which it runs next. */
  nextMs: number
  cancelled: boolean
}

/**
 * A task's punctuators of one kind. As in Kafka Streams' PunctuationQueue: a punctuator runs once when its time has come, however many
 * intervals have passed, and next at the first multiple of its interval after now.
 */
export class PunctuationQueue {
  readonly type: PunctuationType
  #schedules: Schedule[] = []
  /** The earliest time at which one is due; Infinity when there is none. Compared once per record. */
  nextMs = Number.POSITIVE_INFINITY

  constructor(type: PunctuationType) {
    this.type = type
  }

  /** @param startMs the first run is due at this time */
  add(node: string, intervalMs: number, startMs: number, punctuator: Punctuator): Cancellable {
    if (!Number.isSafeInteger(intervalMs) || intervalMs < 1) {
      throw new RangeError(
        `processor ${node}: schedule: intervalMs is ${intervalMs}; allowed is a whole number of milliseconds from 1`,
      )
    }
    const schedule: Schedule = { node, intervalMs, punctuator, nextMs: startMs, cancelled: false }
    this.#schedules.push(schedule)
    this.nextMs = Math.min(this.nextMs, startMs)
    return {
      cancel: () => {
        schedule.cancelled = true
        this.#schedules = this.#schedules.filter((other) => other !== schedule)
        this.#findNext()
      },
    }
  }

  /** Runs what is due at `nowMs`. @returns how many ran */
  run(nowMs: number, invoke: (node: string, punctuator: Punctuator, timestamp: number) => void): number {
    let ran = 0
    for (const schedule of [...this.#schedules]) {
      if (schedule.cancelled || schedule.nextMs > nowMs) continue
      const behind = nowMs - schedule.nextMs
      schedule.nextMs += schedule.intervalMs * (Math.floor(behind / schedule.intervalMs) + 1)
      invoke(schedule.node, schedule.punctuator, nowMs)
      ran++
    }
    this.#findNext()
    return ran
  }

  clear(): void {
    this.#schedules = []
    this.nextMs = Number.POSITIVE_INFINITY
  }

  #findNext(): void {
    this.nextMs = Number.POSITIVE_INFINITY
    for (const { nextMs } of this.#schedules) this.nextMs = Math.min(this.nextMs, nextMs)
  }
}
