/** As often as the database renews the age of offsets that do not change (kOffsetRefreshMs). */
const QUIET_COMMIT_MS = 600_000

/**
 * Whether a task has something to commit. One with state commits from time to time without: state that is as current as ever says so on the
 * disk, lest it be taken for old.
 */
export class CommitNeed {
  readonly #hasState: boolean
  readonly #systemTimeMs: () => number
  #changed = false
  #committedMs: number

  constructor(hasState: boolean, systemTimeMs: () => number) {
    this.#hasState = hasState
    this.#systemTimeMs = systemTimeMs
    this.#committedMs = systemTimeMs()
  }

  /** Something was processed, or may have been. */
  changed(): void {
    this.#changed = true
  }

  committed(): void {
    this.#changed = false
    this.#committedMs = this.#systemTimeMs()
  }

  /** When that was last; at first, when the task was made. */
  get committedMs(): number {
    return this.#committedMs
  }

  get isThere(): boolean {
    return this.#changed || (this.#hasState && this.#systemTimeMs() - this.#committedMs >= QUIET_COMMIT_MS)
  }
}
