import { createTopics, forEachRecord, type OutgoingRecord, produceAll } from '../../examples/support/kafka.ts'
import type { Random } from './seed.ts'

/**
 * A load for test/support/topologies/count.ts whose true counts are known. It is written as far as it is
 * allowed to be, so that a test decides what is in Kafka when.
 */
export class CountLoad {
  readonly records: number
  readonly input: string
  readonly output: string
  readonly trueCounts: Int32Array
  readonly #keys: Int32Array
  #allowed = 0
  #isAbandoned = false
  #wake: () => void = () => {}

  /** @param prefix COUNT_PREFIX of the topology: several loads can share a broker */
  constructor(records: number, keys: number, random: Random, prefix = '') {
    this.records = records
    this.input = `${prefix}input`
    this.output = `${prefix}counts`
    this.trueCounts = new Int32Array(keys)
    this.#keys = new Int32Array(records)
    for (let index = 0; index < records; index++) {
      // Half of the records go to a hundredth of the keys.
      const key = random.next() < 0.5 ? random.below(Math.ceil(keys / 100)) : random.below(keys)
      this.#keys[index] = key
      this.trueCounts[key]!++
    }
  }

  /** Lets the producer go on until so many records are written. */
  allow(records: number): void {
    this.#allowed = Math.min(this.records, Math.max(this.#allowed, Math.floor(records)))
    this.#wake()
  }

  /**
   * Makes the topics, and begins to write all records, as they are allowed. Under `using` it writes no more at the end of the block: a test that
   * failed would leave a producer behind that waits for ever, and its process with it.
   */
  async start(
    bootstrapServers: string,
    partitions: number,
  ): Promise<Disposable & { readonly done: Promise<unknown> }> {
    await createTopics(bootstrapServers, { [this.input]: partitions, [this.output]: partitions })
    const done = produceAll(bootstrapServers, this.#records())
    // A failure is met by who waits for the end.
    done.catch(() => {})
    return {
      done,
      [Symbol.dispose]: () => {
        this.#isAbandoned = true
        this.#wake()
      },
    }
  }

  async *#records(): AsyncGenerator<OutgoingRecord> {
    const value = Buffer.alloc(20, 120)
    for (let index = 0; index < this.records; index++) {
      while (index >= this.#allowed && !this.#isAbandoned) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      if (this.#isAbandoned) return
      yield { topic: this.input, key: `key-${this.#keys[index]}`, value, timestamp: 1_000_000 + index }
    }
  }
}

export interface CountVerdict {
  /** Records in the output: one for each update. */
  readonly updates: number
  /** Keys whose last count is below the true one, with both. */
  readonly lost: string[]
  /** Keys whose last count is above the true one, with both. */
  readonly doubled: string[]
  /** Keys whose counts did not go up by one with each update. */
  readonly notByOne: number
  /** How much too high all last counts are together. */
  readonly surplus: number
}

/**
 * Compares the output topic's last count of each key with the true one. Knows nothing of Weir: int64 is 8
 * bytes, big-endian.
 */
export async function verifyCounts(bootstrapServers: string, load: CountLoad): Promise<CountVerdict> {
  const last = new Float64Array(load.trueCounts.length)
  const notByOne = new Set<number>()
  let updates = 0
  await forEachRecord(bootstrapServers, load.output, ({ key, value }) => {
    const index = Number(key!.toString().slice('key-'.length))
    const count = Number(value!.readBigInt64BE(0))
    if (count !== last[index]! + 1) notByOne.add(index)
    last[index] = count
    updates++
  })
  const lost: string[] = []
  const doubled: string[] = []
  let surplus = 0
  load.trueCounts.forEach((should, index) => {
    const is = last[index]!
    surplus += is - should
    if (is < should) lost.push(`key-${index}: ${is} of ${should}`)
    if (is > should) doubled.push(`key-${index}: ${is} of ${should}`)
  })
  return { updates, lost, doubled, notByOne: notByOne.size, surplus }
}
