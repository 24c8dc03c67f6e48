/** A count that somebody else raises by one, from time to time: to look at it costs less than to ask for the time. */
export interface Ticks {
  /** One Int32; shared between threads. */
  readonly count: Int32Array
  /** Between two ticks passes at least this, ms. */
  readonly intervalMs: number
  /** A record that sees as many ticks is slow. */
  readonly slowTicks: number
}

const standing: Ticks = { count: new Int32Array(1), intervalMs: 0, slowTicks: 1 }

/** Where the time of a slow record went. */
export interface SlowTime {
  /** The node that took the most of it. */
  readonly node: string
  /** To within a tick. */
  readonly durationMs: number
}

/**
 * Which node is at work, and whether records take long: by the ticks that pass while one is processed, since nobody asks for the time. Of a record that sees n
 * ticks n - 1 whole intervals have passed for certain; how late the ticks themselves come makes no record look slow. Used by the task's thread.
 *
 *   begin ── node ── node ── end (that is the next record's begin) ── node ── end
 */
export class RecordWatch {
  readonly #ticks: Ticks
  readonly #count: Int32Array
  #node = ''
  /** Ticks at the record's begin. */
  #begun = 0
  /** Ticks when the last node was left. */
  #seen = 0
  /** The most that a node of this record has seen. */
  #mostTicks = 0
  #mostNode = ''

  /** @param ticks default: none ever pass */
  constructor(ticks: Ticks = standing) {
    this.#ticks = ticks
    this.#count = ticks.count
    this.beginWatch()
  }

  /** The name of the processor that runs, for messages. */
  get node(): string {
    return this.#node
  }

  set node(name: string) {
    if (this.#count[0] !== this.#seen) this.#leaveNode()
    this.#node = name
  }

  /** As many ticks as there were up to now. */
  get tick(): number {
    return this.#count[0]!
  }

  /** True when a tick has passed since the record's begin. */
  get hasTicked(): boolean {
    return this.#count[0] !== this.#begun
  }

  /** A record begins now: what has passed since the last one is nobody's. */
  beginWatch(): void {
    const now = this.#count[0]!
    this.#begun = now
    this.#seen = now
    this.#mostTicks = 0
  }

  #leaveNode(): void {
    const now = this.#count[0]!
    const ticks = (now - this.#seen) | 0
    this.#seen = now
    if (ticks <= this.#mostTicks) return
    this.#mostTicks = ticks
    this.#mostNode = this.#node
  }

  /** The record is done with; the next one begins. @returns null: it was not slow */
  endWatch(): SlowTime | null {
    this.#leaveNode()
    const durationMs = this.slowSince(this.#begun)
    const node = this.#mostNode
    this.beginWatch()
    return durationMs === null ? null : { node, durationMs }
  }

  /** How long something has taken that began at this tick, ms; null: not long. */
  slowSince(tick: number): number | null {
    const ticks = (this.tick - tick) | 0
    return ticks < this.#ticks.slowTicks ? null : ticks * this.#ticks.intervalMs
  }
}
