import type { TimeHistogram } from './time-histogram.ts'

/** How often the loop is looked at, ms: what holds it up for less may fall between two looks. */
export const EVENT_LOOP_RESOLUTION_MS = 20

/**
 * How late the event loop of this thread is: a timer, and by how much it comes too late. As perf_hooks.monitorEventLoopDelay, whose histogram would have to be
 * emptied at each reading, and then served one reader only. It keeps no process alive.
 */
export class EventLoopDelay {
  readonly #timer: NodeJS.Timeout
  #lookedMs = performance.now()

  constructor(seconds: TimeHistogram) {
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      seconds.observe(Math.max(0, nowMs - this.#lookedMs - EVENT_LOOP_RESOLUTION_MS) / 1000)
      this.#lookedMs = nowMs
    }, EVENT_LOOP_RESOLUTION_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
