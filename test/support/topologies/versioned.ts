/** Keeps the prices of products, and tells what they were when it is asked to. */
import {
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  Topology,
  type VersionedKeyValueStore,
} from '../../../src/index.ts'

export const HISTORY_MS = 60_000

/** A price, '-' for a product that is no longer sold, or `tell` and the times to be told. */
class Prices implements Processor<string, string, string, string> {
  #prices!: VersionedKeyValueStore<string, string>

  init(context: ProcessorContext<string, string>): void {
    this.#prices = context.stateStore('prices')
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<string, string>,
    context: ProcessorContext<string, string>,
  ): void {
    if (!value.startsWith('tell ')) {
      this.#prices.put(key, value === '-' ? null : value, timestamp)
      return
    }
    const times = value.slice(5).split(',').map(Number)
    const told = [this.#prices.get(key), ...times.map((time) => this.#prices.get(key, time))]
    context.forward({ key, value: JSON.stringify(told), timestamp, headers })
  }
}

export default new Topology()
  .addSource('source', { topics: 'prices', key: serdes.string, value: serdes.string })
  .addProcessor('keep', () => new Prices(), { parents: 'source' })
  .addStateStore(
    stores.versioned({
      name: 'prices',
      key: serdes.string,
      value: serdes.string,
      historyRetentionMs: HISTORY_MS,
    }),
    'keep',
  )
  .addSink('answers', { parents: 'keep', topic: 'answers', key: serdes.string, value: serdes.string })
