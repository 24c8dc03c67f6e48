/** Keeps each record of `input` in four stores. */
import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../../src/index.ts'

const names = ['one', 'two', 'three', 'four']

class Keeper implements Processor<string, Buffer, never, never> {
  #stores: KeyValueStore<string, Buffer>[] = []

  init(context: ProcessorContext<never, never>): void {
    this.#stores = names.map((name) => context.stateStore(name))
  }

  process({ key, value }: StreamRecord<string, Buffer>): void {
    for (const store of this.#stores) store.put(key, value)
  }
}

const topology = new Topology()
  .addSource('input', { topics: 'input', key: serdes.string, value: serdes.bytes })
  .addProcessor('keeper', () => new Keeper(), { parents: 'input' })
for (const name of names) {
  topology.addStateStore(stores.keyValue({ name, key: serdes.string, value: serdes.bytes }), 'keeper')
}

export default topology
