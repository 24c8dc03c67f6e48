import { restartDelayMs } from './guarantee/restart-delay.ts'

/** When all tasks have run for this long, what failed before does not count any more. */
export const FORGIVEN_AFTER_MS = 600_000

/**
 * How often, and how fast, failed threads of this process are replaced: after the first failure in a tenth of a second, then ever more slowly, and
 * not for ever. A record that ends every thread that reads it is read by few.
 */
export class ThreadReplacements {
  readonly #max: number
  #count = 0
  /** Since when all tasks have run; null while they do not. */
  #runningSinceMs: number | null = null

  /** @param max how many there may be until all tasks have run for a while */
  constructor(max: number) {
    this.#max = max
  }

  /** Since all tasks have run for a while. */
  get count(): number {
    return this.#count
  }

  /** All tasks run, or not any more. */
  running(allRun: boolean, nowMs: number): void {
    if (!allRun) this.#forgive(nowMs)
    this.#runningSinceMs = allRun ? (this.#runningSinceMs ?? nowMs) : null
  }

  /** A thread has failed. @returns after how long another may take its place, ms; null when none may */
  next(nowMs: number): number | null {
    this.#forgive(nowMs)
    this.#runningSinceMs = null
    if (this.#count >= this.#max) return null
    this.#count++
    return restartDelayMs(this.#count + 1)
  }

  #forgive(nowMs: number): void {
    if (this.#runningSinceMs !== null && nowMs - this.#runningSinceMs >= FORGIVEN_AFTER_MS) this.#count = 0
  }
}
