import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import type {
  TransformerContext,
  ValueTransformer,
} from '../../../../src/process/operators/table-transform.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../../../src/state/store.ts'
import { stores } from '../../../../src/topology/stores.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

const text = { key: serdes.string, value: serdes.string }

/** What happens to transformers, each by its number. */
function observed(events: string[]): () => ValueTransformer<string, string, string> {
  let made = 0
  return () => {
    const number = made++
    let context: TransformerContext
    let prefixes: KeyValueStore<string, string>
    return {
      init(given) {
        context = given
        prefixes = context.stateStore('prefixes')
        events.push(`init ${number}`)
      },
      transform(value, key) {
        events.push(`${number} ${key} ${value} at ${context.recordMetadata()?.offset ?? 'none'}`)
        return value === null ? null : `${prefixes.get('prefix') ?? ''}${value}`
      },
      close: () => events.push(`close ${number}`),
    }
  }
}

test('a transformer for the table and one for each reader of its rows: all use its stores, and are closed', async () => {
  const events: string[] = []
  const seen: string[] = []
  const topology = defineTopology((builder) => {
    builder.addStateStore(stores.keyValue({ name: 'prefixes', ...text, inMemory: true }))
    const table = builder.table('rows', text).transformValues(observed(events), { stores: ['prefixes'] })
    builder
      .stream('in', text)
      .join(table, (left, right) => `${left}+${right}`)
      .forEach(({ value }) => {
        seen.push(value)
      })
  }).build()
  events.length = 0
  {
    await using graph = await TaskGraph.open(topology)
    graph.keyValueStore('prefixes').put('prefix', 'p-')
    graph.pipe('rows', 'k', 'a', 1)
    graph.pipe('in', 'k', 'x', 2)
    graph.pipe('rows', 'k', null, 3)
    graph.pipe('in', 'k', 'y', 4)
  }
  assert.deepEqual(seen, ['x+p-a'])
  // The first two were made to see that the supplier makes new ones.
  assert.deepEqual(
    events.map((event) => event.replace(/^(init |close )?\d+/, (_, what: string | undefined) => what ?? '#')),
    [
      'init ',
      'init ',
      '# k a at 0',
      '# k a at none',
      '# k null at 2',
      '# k null at none',
      'close ',
      'close ',
    ],
  )
  assert.equal(new Set(events.filter((event) => event.startsWith('close'))).size, 2)
})

test('a transformer cannot forward', async () => {
  const topology = defineTopology((builder) => {
    builder.table('rows', text).transformValues(() => {
      let context: TransformerContext
      return {
        init(given) {
          context = given
        },
        transform(value) {
          ;(context as unknown as { forward(record: unknown): void }).forward({ key: 'k', value })
          return value
        },
      }
    })
  }).build()
  await using graph = await TaskGraph.open(topology)
  assert.throws(() => graph.pipe('rows', 'k', 'a', 1), /^TypeError: transformValues cannot forward/)
})
