import { WeirError } from '../errors/weir-error.ts'

interface Action {
  readonly run: () => Promise<void>
  readonly refuse: (error: WeirError) => void
}

/**
 * What reaches a stream thread from outside of its turns: actions that the main thread asks for, failures met in the background, and wake-ups.
 * Actions and failures wait for the beginning of the next turn; each of the three ends the thread's sleep. Used by that thread.
 */
export class ThreadEvents {
  readonly #actions: Action[] = []
  /** The first error. */
  #failure: unknown = null
  /** Something happened since the turn began: the thread does not sleep after it. */
  #woken = false
  #wake: (() => void) | null = null
  #closed = false

  /** True when no further turn is to begin. */
  get isClosed(): boolean {
    return this.#closed
  }

  /**
   * Runs `action` between two turns, after those that were asked for before it. @returns when it has run
   * @throws what it throws, which also ends the thread; WeirError closed when the thread ends before
   */
  between(action: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(threadEnds())
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        try {
          resolve(await action())
        } catch (error) {
          reject(error)
          throw error
        }
      }
      this.#actions.push({ run, refuse: reject })
      this.wakeUp()
    })
  }

  /** Ends the thread with `error`, unless another one came first. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.wakeUp()
  }

  wakeUp(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** The beginning of a turn. @throws the first failure, or that of an action */
  async deliver(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    this.#woken = false
    for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift())
      await action.run()
  }

  /** Sleeps until something happens; not at all when it did since the turn began. @param wakeAtMs at the latest, ms since 1970 */
  sleepUntil(wakeAtMs: number): Promise<void> {
    if (this.#woken) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wakeUp(), Math.max(1, wakeAtMs - Date.now()))
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
    })
  }

  /**
   * Sleeps until something happens from now on. REQUIRES that an action runs: what happened before is met after it. @param wakeAtMs at the latest, ms
   * since 1970
   */
  sleepWithin(wakeAtMs: number): Promise<void> {
    this.#woken = false
    return this.sleepUntil(wakeAtMs)
  }

  /** Takes no further actions. Those that wait run in this turn, or are refused with `refuseRest`. */
  close(): void {
    this.#closed = true
  }

  /** No turn comes any more. */
  refuseRest(): void {
    for (const { refuse } of this.#actions.splice(0)) refuse(threadEnds())
  }
}

function threadEnds(): WeirError {
  return new WeirError('closed', 'the stream thread ends')
}
