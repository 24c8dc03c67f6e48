/** The kinds of events that users make, and how many of a hundred are of which. */
const mix: readonly (readonly [type: string, percent: number])[] = [
  ['page-view', 90],
  ['add-to-cart', 8],
  ['purchase', 2],
]

/** Events of this many users, some of them far busier than others. */
const users = 500_000

/** One event of the segmentation example; see its records.ts. */
export interface DemoEvent {
  readonly user: string
  readonly type: string
  readonly timestamp: number
  readonly value: number | null
  readonly channel: string
}

/** Makes up users' events. The same seed makes the same ones, but for their times. */
export class DemoEvents {
  #state: number

  /** @param seed an integer other than 0 */
  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  next(timestampMs: number): DemoEvent {
    // The product of two evenly spread numbers: three tenths of the events come from a twelfth of the users.
    const user = `user-${Math.floor(users * this.#random() * this.#random())}`
    const type = this.#type()
    const value = type === 'purchase' ? 1 + Math.floor(this.#random() * 200) : null
    return { user, type, timestamp: timestampMs, value, channel: 'app' }
  }

  #type(): string {
    let rest = this.#random() * 100
    for (const [type, percent] of mix) {
      rest -= percent
      if (rest < 0) return type
    }
    return 'page-view'
  }

  /** xorshift32: evenly spread over [0, 1), and much faster than drawing from the system. */
  #random(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) / 2 ** 32
  }
}
