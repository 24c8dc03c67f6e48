import { setTimeout as sleep } from 'node:timers/promises'

import { type OutgoingRecord, produceAll } from '../../examples/support/kafka.ts'
import type { Random } from './seed.ts'

/** Writes so many records a second until it is stopped: those of each key carry the numbers 1, 2, 3, ... */
export class NumberedLoad implements Disposable {
  written = 0
  /** Resolves when what was written has been delivered. */
  readonly done: Promise<number>
  readonly #random: Random
  readonly #lastNumbers: Int32Array
  readonly #recordsPerSecond: number
  #stopped = false

  constructor(
    bootstrapServers: string,
    topic: string,
    options: { readonly keys: number; readonly recordsPerSecond: number; readonly random: Random },
  ) {
    this.#random = options.random
    this.#lastNumbers = new Int32Array(options.keys)
    this.#recordsPerSecond = options.recordsPerSecond
    this.done = produceAll(bootstrapServers, this.#records(topic))
    // A failure is met by who waits for the end.
    this.done.catch(() => {})
  }

  stop(): void {
    this.#stopped = true
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  async *#records(topic: string): AsyncGenerator<OutgoingRecord> {
    const startedMs = Date.now()
    while (!this.#stopped) {
      const due = ((Date.now() - startedMs) / 1_000) * this.#recordsPerSecond
      for (; this.written < due && !this.#stopped; this.written++) {
        const key = this.#random.below(this.#lastNumbers.length)
        const number = ++this.#lastNumbers[key]!
        yield { topic, key: `key-${key}`, value: `${number}`, timestamp: Date.now() }
      }
      await sleep(10)
    }
  }
}
