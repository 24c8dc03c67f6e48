/** Where the runtime's lines go; a pino logger is one. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const INTERVAL_MS = 60_000
/** More kinds of lines than this are not told apart: the oldest is forgotten, and would be logged once more. */
const KEYS_MAX = 1_000

/** Lets a line of one kind through once a minute, and counts those it held back. */
export class LogLimiter {
  readonly #now: () => number
  readonly #seen = new Map<string, { sinceMs: number; heldBack: number }>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Calls `log` when a minute has passed since it did for this key, with how many were held back in between. */
  once(key: string, log: (heldBack: number) => void): void {
    const now = this.#now()
    const seen = this.#seen.get(key)
    if (seen !== undefined && now - seen.sinceMs < INTERVAL_MS) {
      seen.heldBack++
      return
    }
    this.#seen.delete(key)
    if (this.#seen.size >= KEYS_MAX) this.#seen.delete(this.#seen.keys().next().value!)
    this.#seen.set(key, { sinceMs: now, heldBack: 0 })
    log(seen?.heldBack ?? 0)
  }
}
