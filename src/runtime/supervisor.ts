/** A check that comes this many intervals late says that the whole process stood still, not a thread. */
const LATE_INTERVALS = 3

export interface SupervisedThread {
  readonly index: number
  /** It waits for the main thread, which knows why. */
  isWaiting(): boolean
}

/**
 * Finds stream threads that stand still: each adds to its counter at every turn of its loop. Polling is no sign of life, since librdkafka's
 * own threads do it for the whole process.
 */
export class Supervisor {
  readonly #heartbeats: Int32Array
  readonly #threads: readonly SupervisedThread[]
  readonly #timeoutMs: number
  readonly #intervalMs: number
  /** Each thread's counter, and since when it has had that value. */
  readonly #seen: { counter: number; sinceMs: number }[]
  #checkedMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param heartbeats Int32 counters, one per thread */
  constructor(
    heartbeats: SharedArrayBuffer,
    threads: readonly SupervisedThread[],
    timeoutMs: number,
    nowMs: number,
  ) {
    this.#heartbeats = new Int32Array(heartbeats)
    this.#threads = threads
    this.#timeoutMs = timeoutMs
    this.#intervalMs = Math.max(100, Math.min(5_000, timeoutMs / 4))
    this.#checkedMs = nowMs
    this.#seen = threads.map(({ index }) => ({
      counter: Atomics.load(this.#heartbeats, index),
      sinceMs: nowMs,
    }))
  }

  /** Checks regularly until `stop`; `onStuck` is told once. */
  start(onStuck: (threadIndex: number, stuckMs: number) => void): void {
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      const stuck = this.check(nowMs)
      if (stuck === null) return
      this.stop()
      onStuck(stuck.index, nowMs - this.#seen[stuck.index]!.sinceMs)
    }, this.#intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** @returns the first thread that has stood still for too long, null when there is none */
  check(nowMs: number): SupervisedThread | null {
    // After a pause of the process (a suspended machine, a stopped container) the threads get their time anew.
    const wasPaused = nowMs - this.#checkedMs > this.#intervalMs * LATE_INTERVALS
    this.#checkedMs = nowMs
    let stuck: SupervisedThread | null = null
    for (const [position, thread] of this.#threads.entries()) {
      const seen = this.#seen[position]!
      const counter = Atomics.load(this.#heartbeats, thread.index)
      if (counter !== seen.counter || wasPaused || thread.isWaiting()) {
        seen.counter = counter
        seen.sinceMs = nowMs
      } else if (nowMs - seen.sinceMs > this.#timeoutMs) {
        stuck ??= thread
      }
    }
    return stuck
  }
}
