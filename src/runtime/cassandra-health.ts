import { type Logger, LogLimiter } from './logger.ts'

/** Which stream threads wait for Cassandra, and since when. Main thread. */
export class CassandraHealth {
  readonly #logger: Logger
  readonly #limiter = new LogLimiter()
  /** By the thread's index. */
  readonly #away = new Map<number, { readonly reason: string; readonly sinceMs: number }>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @param reason null: it answers again */
  told(thread: number, reason: string | null): void {
    if (reason === null) {
      if (this.#away.delete(thread)) this.#logger.info({ thread }, 'Cassandra answers again')
      return
    }
    this.#away.set(thread, { reason, sinceMs: Date.now() })
    this.#limiter.once(String(thread), (heldBack) =>
      this.#logger.warn(
        { thread, reason, heldBack },
        'Cassandra does not answer: rows wait, and their tasks commit nothing',
      ),
    )
  }

  /** The thread has ended. */
  forget(thread: number): void {
    this.#away.delete(thread)
  }

  /** null: nobody waits. */
  problem(): string | null {
    const [first] = this.#away
    if (first === undefined) return null
    const [thread, { reason, sinceMs }] = first
    const seconds = Math.round((Date.now() - sinceMs) / 1_000)
    return `Cassandra has not answered stream thread ${thread} for ${seconds} s: ${reason}`
  }
}
