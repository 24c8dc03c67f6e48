import type { ApplicationStatus } from '../runtime/application.ts'
import type { DemoThread } from './demo-view.ts'

/** A rate is that of the last this many ms. */
const rateWindowMs = 2_000

interface Sample {
  readonly atMs: number
  readonly processed: readonly number[]
}

/** Makes rates and totals of one status after the other. */
export class DemoMeter {
  processed = 0
  recordsProduced = 0
  stateBytes = 0
  /** When the first events, and when the last ones were seen to be processed; null before. */
  firstMs: number | null = null
  lastMs = 0
  #samples: Sample[] = []
  #threads: readonly DemoThread[] = []

  get threads(): readonly DemoThread[] {
    return this.#threads
  }

  get recordsPerSecond(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.recordsPerSecond, 0)
  }

  /** @param nowMs a clock that only goes forward */
  update(status: ApplicationStatus, nowMs: number): void {
    const processed = status.threads.map((thread) => thread.recordsProcessed)
    const sum = processed.reduce((total, one) => total + one, 0)
    if (sum > this.processed) {
      this.firstMs ??= nowMs
      this.lastMs = nowMs
    }
    this.processed = sum
    this.recordsProduced = status.threads.reduce((total, thread) => total + thread.recordsProduced, 0)
    const tasks = status.threads.flatMap((thread) => thread.tasks)
    this.stateBytes = tasks.reduce((total, task) => total + task.stateBytes, 0)
    this.#samples.push({ atMs: nowMs, processed })
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= nowMs - rateWindowMs) this.#samples.shift()
    const first = this.#samples[0]!
    const seconds = (nowMs - first.atMs) / 1000
    this.#threads = status.threads.map((thread, index) => ({
      index: thread.threadIndex,
      recordsPerSecond: seconds > 0 ? (processed[index]! - first.processed[index]!) / seconds : 0,
      tasks: thread.tasks.map(({ id, state }) => (state === 'running' ? id : `[${id}]`)).sort(),
    }))
  }
}
