import type { Punctuator } from '../process/processor.ts'
import { PunctuationQueue } from '../process/punctuation.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { CommitNeed } from './commit-need.ts'
import type { TaskId } from './protocol.ts'
import type { RecordFailures } from './record-failures.ts'
import { guarded } from './task-failure.ts'
import type { TaskScans } from './task-scans.ts'

export interface TaskPunctuationsOptions {
  readonly taskId: TaskId
  readonly clock: TaskClock
  readonly need: CommitNeed
  /** null: a task without stores. */
  readonly scans: TaskScans | null
  readonly failures: RecordFailures
  readonly counters: { punctuations: number; readonly punctuateSeconds: { observe(seconds: number): void } }
}

/** Those on stream time may be due at every record: one of so many times is timed. */
const RUNS_PER_SAMPLE = 16

/** A task's punctuators of both kinds, which run between its records. Used by the task's thread. */
export class TaskPunctuations {
  readonly streamTime = new PunctuationQueue('stream-time')
  readonly wallClock = new PunctuationQueue('wall-clock-time')
  readonly #options: TaskPunctuationsOptions
  #streamTimeRuns = 0

  constructor(options: TaskPunctuationsOptions) {
    this.#options = options
  }

  /** Runs the stream-time punctuators that are due. */
  punctuateStreamTime(): void {
    const { streamTimeMs } = this.#options.clock
    this.#run(this.streamTime, streamTimeMs, this.#streamTimeRuns++ % RUNS_PER_SAMPLE === 0)
  }

  /** Runs the wall-clock punctuators that are due. */
  punctuateWallClock(nowMs: number): void {
    if (nowMs >= this.wallClock.nextMs) this.#run(this.wallClock, nowMs, true)
  }

  #run(queue: PunctuationQueue, nowMs: number, isTimed: boolean): void {
    const { counters } = this.#options
    const started = isTimed ? performance.now() : 0
    const punctuations = queue.run(nowMs, this.#punctuate)
    counters.punctuations += punctuations
    if (isTimed && punctuations > 0) counters.punctuateSeconds.observe((performance.now() - started) / 1000)
  }

  readonly #punctuate = (node: string, punctuator: Punctuator, timestamp: number): void => {
    const { taskId, clock, need, scans, failures } = this.#options
    need.changed()
    clock.inPunctuator = true
    clock.node = node
    clock.timestamp = timestamp
    try {
      guarded(taskId, clock, () => {
        try {
          punctuator(timestamp)
        } catch (error) {
          failures.punctuatorFailed(node, timestamp, error)
        }
      })
    } finally {
      clock.inPunctuator = false
    }
    scans?.close()
  }

  clear(): void {
    this.streamTime.clear()
    this.wallClock.clear()
  }
}
