import { restoreConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { PartitionInput } from '../consume/partition-input.ts'
import { BatchPool } from '../consume/record-batch.ts'
import { WeirError } from '../errors/weir-error.ts'
import { Consumer, type ConsumerEvent } from '../native.ts'
import { askCluster, type ClusterRequestOptions } from '../runtime/cluster-requests.ts'
import { type DeadLetterRecord, deadLetterRecord } from './dlq-record.ts'
import { boundsOf, type Selection } from './dlq-selection.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** Without a record, a wake-up may have come before it was waited for. */
const POLL_MS = 200
const BATCH_RECORDS = 1024
const BATCH_BYTES = 4 << 20

export interface ReadRequest extends ClusterRequestOptions {
  readonly config: Config
  readonly topic: string
  readonly partitions: number
}

/** By partition: where reading begins, and before which offset it ends. */
export type Bounds = ReadonlyMap<number, { readonly from: number; readonly end: number }>

/** Reads a dead-letter topic outside of any group: what was committed, partition by partition in the order of the offsets. */
export class DeadLetterReader implements AsyncDisposable {
  readonly #request: ReadRequest
  readonly #consumer: Consumer
  readonly #reader: Consumer
  /** What the consumer has told. */
  #failure: unknown = null
  #wakeUp: () => void = () => {}

  constructor(request: ReadRequest) {
    const { config } = request
    this.#request = request
    const settings = { ...restoreConfig(config), 'client.id': `${config.clientId}-dlq` }
    this.#consumer = new Consumer(settings, (event) => this.#told(event))
    this.#reader = Consumer.attach(this.#consumer.id)
    this.#reader.onReady(() => this.#wakeUp())
  }

  /** What a selection concerns, as far as the topic goes now. */
  async bounds(selection: Selection): Promise<Bounds> {
    const { topic, partitions } = this.#request
    const bounds = new Map<number, { from: number; end: number }>()
    for (let partition = 0; partition < partitions; partition++) {
      const watermarks = await askCluster('reading the ends of the dead-letter topic', this.#request, () =>
        this.#consumer.queryWatermarks(topic, partition, REQUEST_TIMEOUT_MS),
      )
      const own = boundsOf(selection, partition, watermarks)
      if (own !== null) bounds.set(partition, own)
    }
    return bounds
  }

  /** The selected records within the bounds. One reader reads once. @throws WeirError as askCluster */
  async *read(selection: Selection, bounds: Bounds): AsyncGenerator<DeadLetterRecord> {
    const { topic } = this.#request
    const pool = new BatchPool({ capacity: BATCH_RECORDS, arenaBytes: BATCH_BYTES, readAheadMax: 2 })
    this.#consumer.assign([...bounds].map(([partition, { from }]) => ({ topic, partition, offset: from })))
    for (const [partition, { from, end }] of bounds) {
      const start = { topic, partition, offset: from, partitionTimeMs: -1 }
      const input = new PartitionInput(this.#reader, pool, { records: 0, bytes: 0 }, start)
      input.open()
      while (input.position < end) {
        input.readAhead()
        input.nextReady = true
        input.advance()
        if (!input.hasRecord) {
          await this.#moreRecords()
          continue
        }
        const letter = deadLetterRecord(input.current!, input.cursor, partition)
        input.step()
        if (letter.offset < end && selection.matches(letter)) yield letter
      }
      input.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.detach()
    await this.#consumer.close()
  }

  async #moreRecords(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #told(event: ConsumerEvent): void {
    if (event.type === 'stray') {
      this.#failure = new WeirError('stray-record', `a record of ${event.topic} arrived outside its queue`)
    } else if (event.type === 'error') {
      const { error } = event
      if (error.fatal || !error.retriable) this.#failure = error
    }
  }
}
