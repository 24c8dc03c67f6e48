/** `turn`: everything; `promise`: reads, until the first await; `closed`: nothing. */
export type GateState = 'turn' | 'promise' | 'closed'

/**
 * When an async processor may use what belongs to its task. After an `await` it runs at any moment, a commit included, whose other thread walks
 * through the stores' changes; and what it would change there would have no place in the order of the records.
 */
export class TurnGate {
  #state: GateState = 'closed'

  within<T>(state: GateState, run: () => T): T {
    const before = this.#state
    this.#state = state
    try {
      return run()
    } finally {
      this.#state = before
    }
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
