import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../src/index.ts'
import { topic } from './topic.ts'

const store = { name: 'counts', key: serdes.string, value: serdes.int64 }

class Counting implements Processor<string, Buffer, string, number> {
  #context!: ProcessorContext<string, number>
  #counts!: KeyValueStore<string, number>

  init(context: ProcessorContext<string, number>): void {
    this.#context = context
    this.#counts = context.stateStore('counts')
  }

  process({ key, timestamp, headers }: StreamRecord<string, Buffer>): void {
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.put(key, count)
    this.#context.forward({ key, value: count, timestamp, headers })
  }
}

/** Records counted by key, in a tiered store where WEIR_BENCH_TIERED is true: the workload `tiered` of the benches. */
export default new Topology()
  .addSource('input', { topics: topic('input'), key: serdes.string, value: serdes.bytes })
  .addProcessor('counting', () => new Counting(), { parents: 'input', readsByKey: ['counts'] })
  .addStateStore(
    process.env.WEIR_BENCH_TIERED === 'true' ? stores.tieredKeyValue(store) : stores.keyValue(store),
    'counting',
  )
  .addSink('output', { parents: 'counting', topic: topic('output'), key: serdes.string, value: serdes.int64 })
