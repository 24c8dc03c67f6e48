import { setTimeout as sleep } from 'node:timers/promises'

import { type ClientConfig, Producer } from '../native.ts'
import { Headers } from '../process/headers.ts'
import { OutputBatch } from '../produce/output-batch.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { type DemoEvent, DemoEvents } from './demo-events.ts'

/**
 * As many events may be in the topic without having been read: the mock cluster keeps 5 MiB a partition, and all of these would fit into one.
 */
export const unreadEventsMax = 32_768

/**
 * The events that wait are the latency of those behind them: no more than are processed in this time, but enough to keep every thread busy
 * until it is asked again how far it is.
 */
const waitingSeconds = 0.2
const waitingEventsMin = 4_096

/** Events made in one go: the event loop serves the group and the view in between. */
const burst = 1_024
const burstBytesMax = 1 << 20

export interface GeneratorOptions {
  readonly client: ClientConfig
  readonly topic: string
  readonly partitions: number
  /** Of the events' values: what they are written with in turns. */
  readonly serdes: readonly Serde<DemoEvent>[]
  /** Stops by itself after this many; null never. */
  readonly eventsMax: number | null
  /** Events a second; null as fast as they are read. */
  readonly eventsPerSecond: number | null
  /** How many of the events have been read, and how fast. */
  readonly progress: () => { readonly processed: number; readonly recordsPerSecond: number }
  readonly signal: AbortSignal
}

/** Writes made-up users' events into a topic, never further ahead of their reader than the mock cluster can hold. */
export class EventGenerator {
  generated = 0
  readonly #options: GeneratorOptions

  constructor(options: GeneratorOptions) {
    this.#options = options
  }

  /** Ends when there were enough events, or with the signal. */
  async run(): Promise<void> {
    const { client, topic, partitions, serdes: values, eventsMax, eventsPerSecond, signal } = this.#options
    const producer = new Producer(client)
    try {
      const output = new OutputBatch(producer, burst, burstBytesMax)
      const topicId = producer.topic(topic, partitions)
      const events = new DemoEvents(1)
      const startedMs = performance.now()
      while (!signal.aborted && this.generated < (eventsMax ?? Number.POSITIVE_INFINITY)) {
        const elapsedSeconds = (performance.now() - startedMs) / 1000
        const allowed = Math.min(
          burst,
          this.#unreadAllowed() - (this.generated - this.#options.progress().processed),
          (eventsMax ?? Number.POSITIVE_INFINITY) - this.generated,
          eventsPerSecond === null ? burst : Math.ceil(elapsedSeconds * eventsPerSecond) - this.generated,
        )
        if (allowed <= 0) {
          await sleep(5)
          continue
        }
        const now = Date.now()
        for (let made = 0; made < allowed; made++) {
          const event = events.next(now)
          const serde = values[made % values.length]!
          output.add(topicId, -1, serdes.string, event.user, serde, event, now, Headers.empty)
        }
        await output.sendAll()
        this.generated += allowed
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (!signal.aborted) await producer.flush(30_000)
    } finally {
      await producer.close()
    }
  }

  #unreadAllowed(): number {
    const waiting = this.#options.progress().recordsPerSecond * waitingSeconds
    return Math.min(unreadEventsMax, Math.max(waitingEventsMin, Math.ceil(waiting)))
  }
}
