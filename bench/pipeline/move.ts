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

const store = { name: 'rows', key: serdes.string, value: serdes.bytes }

/** A row is how many records its key had, 8 bytes, and the value of the last of them. */
class Counting implements Processor<string, Buffer, string, number> {
  #context!: ProcessorContext<string, number>
  #rows!: KeyValueStore<string, Buffer>

  init(context: ProcessorContext<string, number>): void {
    this.#context = context
    this.#rows = context.stateStore('rows')
  }

  process({ key, value, timestamp, headers }: StreamRecord<string, Buffer>): void {
    const count = (this.#rows.get(key)?.readUIntBE(2, 6) ?? 0) + 1
    const row = Buffer.allocUnsafe(8 + value.length)
    row.writeUInt16BE(0, 0)
    row.writeUIntBE(count, 2, 6)
    row.set(value, 8)
    this.#rows.put(key, row)
    this.#context.forward({ key, value: count, timestamp, headers })
  }
}

/** Rows that move with their partition, in a tiered store where WEIR_BENCH_TIERED is true: `bench failover`. */
export default new Topology()
  .addSource('input', { topics: topic('input'), key: serdes.string, value: serdes.bytes })
  .addProcessor('counting', () => new Counting(), { parents: 'input', readsByKey: ['rows'] })
  .addStateStore(
    process.env.WEIR_BENCH_TIERED === 'true' ? stores.tieredKeyValue(store) : stores.keyValue(store),
    'counting',
  )
  .addSink('output', { parents: 'counting', topic: topic('output'), key: serdes.string, value: serdes.int64 })
