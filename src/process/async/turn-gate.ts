/** `turn`: everything; `reads`: nothing but reads; `closed`: nothing. */
export type GateState = 'turn' | 'reads' | 'closed'

/**
 * When an async processor may use what belongs to its task. After an `await` it runs at any moment, a commit included, whose other thread walks
 * through the stores' changes; and what it would change there would have no place in the order of the records.
 */
export class TurnGate {
  #state: GateState = 'closed'
  /** Goes up with each opening. */
  #openings = 0
  /** The present opening; 0: none. */
  #opening = 0

  within<T>(state: GateState, run: () => T): T {
    const [stateBefore, openingBefore] = [this.#state, this.#opening]
    this.#state = state
    this.#opening = ++this.#openings
    try {
      return run()
    } finally {
      this.#state = stateBefore
      this.#opening = openingBefore
    }
  }

  /** What `checkScan` is to be told of a scan that is opened now. */
  get opening(): number {
    return this.#opening
  }

  /** A scan is closed where the opening ends. */
  checkScan(opening: number): void {
    if (opening !== this.#opening)
      throw new Error(
        'a scan of an async processor ends with the call that opened it, and at its first await',
      )
  }

  /** @param what for the message: `get of store counts` */
  checkRead(what: string): void {
    if (this.#state === 'closed')
      throw new Error(`${what}: an async processor reads state before its first await, or in complete()`)
  }

  checkChange(what: string): void {
    if (this.#state !== 'turn')
      throw new Error(
        `${what}: an async processor changes state and forwards in complete(), not in process()`,
      )
  }
}
