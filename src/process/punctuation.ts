import type { Cancellable, PunctuationType, Punctuator } from './processor.ts'
import { TimeQueue } from './time-queue.ts'

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
 * intervals have passed, and next at the first multiple of its interval after now; several run in order of their times. One that a punctuator adds
 * runs in the same round when it is due.
 */
export class PunctuationQueue {
  readonly type: PunctuationType
  /** Cancelled ones stay until their time has come. */
  readonly #schedules = new TimeQueue<Schedule>(({ nextMs }) => nextMs)
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
    this.#schedules.add(schedule)
    this.#findNext()
    return {
      cancel: () => {
        schedule.cancelled = true
      },
    }
  }

  /** Runs what is due at `nowMs`. @returns how many ran */
  run(nowMs: number, invoke: (node: string, punctuator: Punctuator, timestamp: number) => void): number {
    const schedules = this.#schedules
    let ran = 0
    while (schedules.first !== undefined && schedules.first.nextMs <= nowMs) {
      const schedule = schedules.take()!
      if (schedule.cancelled) continue
      invoke(schedule.node, schedule.punctuator, nowMs)
      ran++
      if (schedule.cancelled) continue
      const { intervalMs, nextMs } = schedule
      schedule.nextMs += intervalMs * (Math.floor((nowMs - nextMs) / intervalMs) + 1)
      schedules.add(schedule)
    }
    this.#findNext()
    return ran
  }

  clear(): void {
    this.#schedules.clear()
    this.#findNext()
  }

  #findNext(): void {
    this.nextMs = this.#schedules.first?.nextMs ?? Number.POSITIVE_INFINITY
  }
}
