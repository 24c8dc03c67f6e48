/**
 * Numbers the records of each key of `input` in `counts`, in the partition that they came from: `<value> <number>`. COUNT_PREFIX comes before both
 * names. Each record waits for a promise, up to 10 ms; one in forty is refused the first time. The value `hold` waits until there is the file
 * COUNT_GATE.
 */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  type AsyncContext,
  type AsyncProcessor,
  defineTopology,
  type KeyValueStore,
  type ProcessorContext,
  RetriableError,
  type StreamRecord,
  serdes,
  stores,
} from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''
const gate = process.env.COUNT_GATE ?? ''

class Counting implements AsyncProcessor<string, string, string, string, number> {
  #counts!: KeyValueStore<string, number>
  readonly #refused = new Set<string>()

  init(context: ProcessorContext<string, string>): void {
    this.#counts = context.stateStore('counts')
  }

  /** What it reads ahead of its turn is what its turn will find. */
  async process({ key, value }: StreamRecord<string, string>, { signal }: AsyncContext): Promise<number> {
    const count = this.#counts.get(key) ?? 0
    while (value === 'hold' && !existsSync(gate)) await sleep(20, null, { signal })
    await sleep(Math.random() * 10)
    if (Math.random() < 0.025 && !this.#refused.has(value)) {
      this.#refused.add(value)
      throw new RetriableError('not now')
    }
    return count
  }

  complete(
    { key, value, timestamp, headers }: StreamRecord<string, string>,
    count: number,
    context: ProcessorContext<string, string>,
  ): void {
    if (count !== (this.#counts.get(key) ?? 0)) throw new Error(`${key} has changed before its turn`)
    this.#counts.put(key, count + 1)
    context.forward({ key, value: `${value} ${count + 1}`, timestamp, headers })
  }
}

export default defineTopology((builder) => {
  builder.addStateStore(stores.keyValue({ name: 'counts', key: serdes.string, value: serdes.int32 }))
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.string })
    .processAsync(() => new Counting(), { stores: ['counts'], readsByKey: ['counts'], concurrency: 32 })
    .to(`${prefix}counts`, {
      key: serdes.string,
      value: serdes.string,
      partitioner: (_topic, key, _value, partitions) => Number(key.slice('key-'.length)) % partitions,
    })
})
