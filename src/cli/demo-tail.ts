import { RecordBatch } from '../consume/record-batch.ts'
import { type ClientConfig, Consumer, type ConsumerEvent, type NativeError } from '../native.ts'

/** Records read in one go; more may wait. */
const recordsMax = 4_096
const arenaBytes = 1 << 20

export interface TailOptions {
  /** With a group of its own. */
  readonly client: ClientConfig
  readonly topic: string
  /** Called for each batch; the batch is used again afterwards. */
  readonly onRecords: (batch: RecordBatch) => void
  readonly onError: (error: Error) => void
}

/** Follows a topic from its beginning, for the live view: what the mock cluster deletes before it is read is skipped. */
export class TopicTail {
  readonly #options: TailOptions
  readonly #consumer: Consumer
  readonly #reader: Consumer
  readonly #batch = new RecordBatch(recordsMax, arenaBytes)
  /** Partition by slot. */
  readonly #slots = new Map<number, number>()
  #scheduled = false
  #closed = false

  constructor(options: TailOptions) {
    this.#options = options
    this.#consumer = new Consumer(options.client, (event) => this.#onEvent(event))
    this.#reader = Consumer.attach(this.#consumer.id)
    this.#reader.onReady(() => this.#schedule())
    this.#consumer.subscribe([options.topic])
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#reader.detach()
    await this.#consumer.close()
  }

  #onEvent(event: ConsumerEvent): void {
    switch (event.type) {
      case 'assign':
        this.#consumer.assign(event.partitions.map((partition) => ({ ...partition, offset: 0 })))
        for (const { topic, partition } of event.partitions) {
          this.#slots.set(this.#reader.open(topic, partition, 0), partition)
        }
        this.#schedule()
        break
      case 'revoke':
        if (!this.#closed) for (const slot of this.#slots.keys()) this.#reader.closeSlot(slot)
        this.#slots.clear()
        this.#consumer.unassign(event.partitions)
        break
      case 'error':
        if (event.error.fatal) this.#options.onError(event.error)
        break
      case 'stray':
        this.#options.onError(new Error(`${event.topic} partition ${event.partition} was read by nobody`))
        break
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#closed && this.#readOnce()) this.#schedule()
    })
  }

  /** @returns true when there may be more */
  #readOnce(): boolean {
    let more = false
    for (const [slot, partition] of this.#slots) {
      try {
        const count = this.#reader.poll(slot, this.#batch.arena, this.#batch.columns, this.#batch.capacity)
        if (count <= 0) continue
        this.#batch.count = count
        this.#options.onRecords(this.#batch)
        more = true
      } catch (error) {
        if ((error as NativeError).code !== 'kafka:_AUTO_OFFSET_RESET') {
          this.#options.onError(error as Error)
          return false
        }
        void this.#skip(slot, partition)
      } finally {
        this.#batch.clear()
      }
    }
    return more
  }

  async #skip(slot: number, partition: number): Promise<void> {
    try {
      const [earliest] = await this.#consumer.queryWatermarks(this.#options.topic, partition, 5_000)
      if (this.#closed || !this.#slots.has(slot)) return
      this.#reader.seek(slot, earliest)
      this.#schedule()
    } catch (error) {
      if (!this.#closed) this.#options.onError(error as Error)
    }
  }
}
