import type { Processor, ProcessorContext } from '../../../src/process/processor.ts'
import type { StreamRecord } from '../../../src/process/record.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { KeyValueStore, ReadOnlyKeyValueStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import type { OperatorTopology } from '../process/operators/operator-topology.ts'

type Text = string | null

const nullable = serdes.string as Serde<Text>
const text = { key: nullable, value: nullable }

/** Keeps values under themselves, with all their keys. */
class Inverting implements Processor<Text, Text, never, never> {
  #store!: KeyValueStore<string, string>

  init(context: ProcessorContext<never, never>): void {
    this.#store = context.stateStore('inverted')
  }

  process({ key, value }: StreamRecord<Text, Text>): void {
    if (value !== null) this.#store.put(value, `${this.#store.get(value) ?? ''}${key}.`)
  }
}

class Looking implements Processor<Text, Text, Text, Text> {
  process(
    { key, value, timestamp, headers }: StreamRecord<Text, Text>,
    context: ProcessorContext<Text, Text>,
  ): void {
    const store = context.stateStore<ReadOnlyKeyValueStore<string, string>>('inverted')
    const found = value === null ? 'none' : store.get(value)
    context.forward({ key, value: `${value} ${found}`, timestamp, headers })
  }
}

/** The topologies of test/oracle/topics/GlobalTopologies.java. */
export const globalTopologies: Record<string, OperatorTopology> = {
  'global-table': (builder, out) => {
    const table = builder.globalTable('b', text)
    const stream = builder.stream('a', text)
    out(stream.join(table, (l, r) => `${l}+${r}`, { keySelector: ({ key }) => key }))
    out(
      stream.leftJoin(table, (l, r, key) => `${key}:${l}?${r}`, {
        keySelector: ({ value }) => `k${value.slice(1)}`,
        name: 'left',
      }),
    )
    out(
      stream.join(table, (l, r, key) => `${key}:${l}=${r}`, {
        keySelector: ({ value }) => (value === 'v3' ? null : 'k1'),
      }),
    )
    const counts = stream.groupByKey().count().toStream()
    out(counts.leftJoin(table, (l, r) => `${l}#${r}`, { keySelector: ({ key }) => key }))
  },

  'global-table-written': (builder, out) => {
    const table = builder.globalTable('out', { ...text, store: 'global' })
    const joined = builder
      .stream('a', text)
      .leftJoin(table, (l, r) => (r === null || r.length > 12 ? l : l + r), { keySelector: ({ key }) => key })
    out(joined.filter(({ key }) => key !== null))
  },

  'global-store': (builder, out) => {
    const store = stores.keyValue({ name: 'inverted', key: serdes.string, value: serdes.string })
    builder.addGlobalStore(store, 'b', text, () => new Inverting())
    out(builder.stream('a', text).process(() => new Looking()))
  },
}
