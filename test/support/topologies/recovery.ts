/**
 * Counts the records of each key. A record whose value is `delete` removes its key's count, one whose value is `tell` has it told to the output,
 * 0 when there is none. The URL that the module is imported by says how it is kept: `?input=orders&store=timestamped&value=int64`.
 */
import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type Serde,
  type StreamRecord,
  serdes,
  stores,
  type TimestampedKeyValueStore,
  Topology,
} from '../../../src/index.ts'

const { searchParams } = new URL(import.meta.url)
const input = searchParams.get('input')!
const type = searchParams.get('store') ?? 'plain'
const values: Record<string, Serde<number>> = { int64: serdes.int64, float64: serdes.float64 }
const logging = searchParams.get('logging') !== 'false'

const options = {
  name: 'counts',
  key: serdes.string,
  value: values[searchParams.get('value') ?? 'int64']!,
  logging,
  changelogConfig: logging
    ? (JSON.parse(searchParams.get('changelog') ?? '{}') as Record<string, string>)
    : {},
}
const definitions = {
  plain: () => stores.keyValue(options),
  memory: () => stores.keyValue({ ...options, inMemory: true }),
  timestamped: () => stores.timestampedKeyValue(options),
  window: () => stores.window({ ...options, retentionMs: 3_600_000, windowSizeMs: 60_000 }),
}

class Count implements Processor<string, string, string, number> {
  #get!: (key: string) => number | null
  #put!: (key: string, count: number | null, timestamp: number) => void

  init(context: ProcessorContext<string, number>): void {
    if (type === 'timestamped') {
      const store = context.stateStore<TimestampedKeyValueStore<string, number>>('counts')
      this.#get = (key) => store.get(key)?.value ?? null
      this.#put = (key, count, timestamp) =>
        store.put(key, count === null ? null : { value: count, timestamp })
    } else {
      const store = context.stateStore<KeyValueStore<string, number>>('counts')
      this.#get = (key) => store.get(key)
      this.#put = (key, count) => store.put(key, count)
    }
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<string, string>,
    context: ProcessorContext<string, number>,
  ): void {
    if (value === 'tell') context.forward({ key, value: this.#get(key) ?? 0, timestamp, headers })
    else this.#put(key, value === 'delete' ? null : (this.#get(key) ?? 0) + 1, timestamp)
  }
}

export default new Topology()
  .addSource('source', { topics: input, key: serdes.string, value: serdes.string })
  .addProcessor('count', () => new Count(), { parents: 'source' })
  .addStateStore(definitions[type as keyof typeof definitions](), 'count')
  .addSink('told', { parents: 'count', topic: `${input}-told`, key: serdes.string, value: serdes.int64 })
