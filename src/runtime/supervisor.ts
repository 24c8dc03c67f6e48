/** A check that comes this many intervals late says that the whole process stood still, not a thread. */
const LATE_INTERVALS = 3

export interface SupervisedThread {
  readonly index: number
  /** It waits for the main thread, which knows why. */
  isWaiting(): boolean
}

interface Watched {
  readonly thread: SupervisedThread
  counter: number
  /** Since when the counter has had that value, ms. */
  sinceMs: number
}

/**
 * Finds stream threads that stand still: each adds to its counter at every turn of its loop. Polling is no sign of life, since librdkafka's
 * own threads do it for the whole process.
 */
export class Supervisor {
  readonly #heartbeats: Int32Array
  readonly #timeoutMs: number
  readonly #intervalMs: number
  /** Each watched thread's counter, and since when it has had that value; by the thread's index. */
  readonly #watched = new Map<number, Watched>()
  #checkedMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param heartbeats Int32 counters, one for each thread that there may be */
  constructor(heartbeats: SharedArrayBuffer, timeoutMs: number, nowMs: number) {
    this.#heartbeats = new Int32Array(heartbeats)
    this.#timeoutMs = timeoutMs
    this.#intervalMs = Math.max(100, Math.min(5_000, timeoutMs / 4))
    this.#checkedMs = nowMs
  }

  /** From now on the thread has to turn. */
  watch(thread: SupervisedThread, nowMs: number): void {
    const counter = Atomics.load(this.#heartbeats, thread.index)
    this.#watched.set(thread.index, { thread, counter, sinceMs: nowMs })
  }

  /** The thread ends, or has ended. */
  forget(thread: SupervisedThread): void {
    if (this.#watched.get(thread.index)?.thread === thread) this.#watched.delete(thread.index)
  }

  /** Checks regularly until `stop`; `onStuck` is told once. */
  start(onStuck: (thread: SupervisedThread, stuckMs: number) => void): void {
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      const stuck = this.check(nowMs)
      if (stuck === null) return
      this.stop()
      onStuck(stuck, nowMs - this.#watched.get(stuck.index)!.sinceMs)
    }, this.#intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** For how long each watched thread has not turned, ms; counted from the first look that has found it so, this one or a check. */
  *standstills(nowMs: number): Iterable<readonly [thread: number, ms: number]> {
    for (const [index, seen] of this.#watched) {
      this.#look(seen, nowMs)
      yield [index, nowMs - seen.sinceMs]
    }
  }

  /** @returns the first thread that has stood still for too long, null when there is none */
  check(nowMs: number): SupervisedThread | null {
    // After a pause of the process (a suspended machine, a stopped container) the threads get their time anew.
    const wasPaused = nowMs - this.#checkedMs > this.#intervalMs * LATE_INTERVALS
    this.#checkedMs = nowMs
    let stuck: SupervisedThread | null = null
    for (const seen of this.#watched.values()) {
      if (wasPaused) seen.sinceMs = nowMs
      this.#look(seen, nowMs)
      if (nowMs - seen.sinceMs > this.#timeoutMs) stuck ??= seen.thread
    }
    return stuck
  }

  #look(seen: Watched, nowMs: number): void {
    const counter = Atomics.load(this.#heartbeats, seen.thread.index)
    if (counter === seen.counter && !seen.thread.isWaiting()) return
    seen.counter = counter
    seen.sinceMs = nowMs
  }
}
