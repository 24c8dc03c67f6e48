/** A thread gives a sign of life at least this often, also while it sleeps or waits. */
export const HEARTBEAT_INTERVAL_MS = 500
/** Between two signs of life. After a longer pause (of the machine, the container, the process) another member may have the tasks. */
const PAUSE_MS = 2_000

/**
 * A stream thread's signs of life: a counter that the main thread's supervisor reads, and by their distance whether the process stood still. Used
 * by that thread.
 */
export class Heartbeat {
  readonly #counters: Int32Array
  readonly #threadIndex: number
  #lastBeatMs = Date.now()
  #paused = false

  /** @param counters one Int32 for each thread */
  constructor(counters: SharedArrayBuffer, threadIndex: number) {
    this.#counters = new Int32Array(counters)
    this.#threadIndex = threadIndex
  }

  beat(): void {
    const now = Date.now()
    if (now - this.#lastBeatMs > PAUSE_MS) this.#paused = true
    this.#lastBeatMs = now
    Atomics.add(this.#counters, this.#threadIndex, 1)
  }

  /** Whether the process stood still since this was asked last. */
  takePause(): boolean {
    const paused = this.#paused
    this.#paused = false
    return paused
  }

  /** Waiting for brokers is not standing still: it has limits of its own, and may outlast the one of a stuck thread. */
  async whileAlive<T>(waiting: Promise<T>): Promise<T> {
    const beat = setInterval(() => this.beat(), HEARTBEAT_INTERVAL_MS)
    try {
      return await waiting
    } finally {
      clearInterval(beat)
    }
  }
}
