import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { StoreDefinition, TopologyDefinition } from '../../../src/topology/definition.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

const text = { key: serdes.string, value: serdes.string }
const windows = JoinWindows.of({ beforeMs: 1_000, afterMs: 4_000, graceMs: 10_000 })
const joiner = (left: unknown, right: unknown): string => `${left}${right}`

function build(define: (builder: StreamsBuilder) => unknown): TopologyDefinition {
  return defineTopology((builder) => void define(builder)).build()
}

function storesOf({ subtopologies }: TopologyDefinition): ReadonlyMap<string, StoreDefinition> {
  return new Map(subtopologies.flatMap(({ stores }) => stores.map((store) => [store.name, store])))
}

describe('joins and branches that cannot be are refused with one line', () => {
  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'a join with neither': [
      (b) => b.stream('a', text).join('b' as never, joiner),
      'join: a table or a stream is expected, not a string',
    ],
    'streams without windows': [
      (b) => b.stream('a', text).join(b.stream('b', text), joiner, undefined as never),
      'join: windows made by JoinWindows.of are expected when a stream is joined, not undefined',
    ],
    'windows that were made otherwise': [
      (b) => b.stream('a', text).leftJoin(b.stream('b', text), joiner, { beforeMs: 1 } as never),
      'leftJoin: windows made by JoinWindows.of are expected when a stream is joined, not an object',
    ],
    'an outer join with a table': [
      (b) => b.stream('a', text).outerJoin(b.table('b', text) as never, joiner, windows),
      'outerJoin: a stream is expected, not an object',
    ],
    'no joiner': [
      (b) => b.stream('a', text).outerJoin(b.stream('b', text), null as never, windows),
      'outerJoin: the joiner must be a function, not null',
    ],
    'a misspelled option': [
      (b) => b.stream('a', text).join(b.stream('b', text), joiner, windows, { caching: true } as never),
      'join: unknown option caching; allowed: key, value, otherValue, name, store, logging, inMemory, changelogConfig, rocksdb',
    ],
    'no serde for the other values': [
      (b) => b.stream('a', text).join(b.stream('b', text).mapValues(Number), joiner, windows, {} as never),
      "join: no serde of the other stream's values is known here, because the values have changed: give { otherValue }",
    ],
    'no serde for keys': [
      (b) => {
        const rekeyed = b.stream('a', text).selectKey(({ value }) => value)
        return rekeyed.join(rekeyed, joiner, windows, {} as never)
      },
      'join: no key serde is known here, because the keys have changed: give { key }',
    ],
    'a store name that a topic cannot have': [
      (b) => b.stream('a', text).join(b.stream('b', text), joiner, windows, { store: 'a b' }),
      "join: store is \"a b\"; allowed are letters, digits, '.', '_' and '-'",
    ],
    'windows of negative length': [
      () => JoinWindows.of({ beforeMs: 5, afterMs: -6 }),
      'JoinWindows.of: the window is -1 ms long; beforeMs and afterMs together must be 0 or more',
    ],
    'a negative difference': [
      () => JoinWindows.of({ timeDifferenceMs: -1 }),
      'JoinWindows.of: timeDifferenceMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a negative grace': [
      () => JoinWindows.of({ timeDifferenceMs: 1, graceMs: -1 }),
      'JoinWindows.of: graceMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a window with one side': [
      () => JoinWindows.of({ afterMs: 1 }),
      'JoinWindows.of: beforeMs is undefined; allowed is a whole number of milliseconds',
    ],
    'an unknown option of windows': [
      () => JoinWindows.of({ timeDifferenceMs: 1, grace: 1 } as never),
      'JoinWindows.of: unknown option grace; allowed: timeDifferenceMs, beforeMs, afterMs, graceMs',
    ],
    'a table join with a stream': [
      (b) => b.table('a', text).join(b.stream('b', text) as never, joiner),
      'join: a table is expected, not an object',
    ],
    'a joined table in a store without a serde': [
      (b) => b.table('a', text).leftJoin(b.table('b', text), joiner, { store: 'joined' } as never),
      'leftJoin joined: no value serde is known here, because the values have changed: give { value }',
    ],
    'repartition topics of different sizes': [
      (b) =>
        b
          .stream('a', text)
          .repartition({ name: 'few', partitions: 2 })
          .join(b.stream('b', text).repartition({ name: 'many', partitions: 3 }), joiner, windows),
      'topics that are joined need the same number of partitions: few-repartition has 2, many-repartition has 3',
    ],
    'a transformer without transform': [
      (b) => b.table('a', text).transformValues(() => ({ init() {} }) as never),
      'KTABLE-TRANSFORMVALUES-0000000003: the supplier must return an object with transform(value, key), not an object',
    ],
    'one transformer for all': [
      (b) => {
        const transformer = { transform: () => 1 }
        return b.table('a', text).transformValues(() => transformer)
      },
      'KTABLE-TRANSFORMVALUES-0000000003: the supplier returned the same transformer twice; it must make a new one at each call',
    ],
    'a transformer without its store': [
      (b) => b.table('a', text).transformValues(() => ({ transform: () => 1 }), { stores: ['none'] }),
      'processor KTABLE-TRANSFORMVALUES-0000000003: there is no store none',
    ],
    'two branches of one name': [
      (b) =>
        b
          .stream('a', text)
          .split()
          .branch(() => true, { name: 'x' })
          .branch(() => true, { name: 'x' }),
      'KSTREAM-BRANCH-0000000001: there are two branches x; give each its own name',
    ],
    'a branch after the last': [
      (b) => {
        const split = b.stream('a', text).split({ name: 'parts' })
        split.defaultBranch()
        split.branch(() => true)
      },
      'parts: branch: the default branch was the last one',
    ],
    'a branch without a predicate': [
      (b) =>
        b
          .stream('a', text)
          .split()
          .branch('x' as never),
      'branch: the predicate must be a function, not a string',
    ],
    'a label that is no text': [
      (b) => b.stream('a', text).print({ label: 1 as never }),
      'print: label must be text, not a number',
    ],
    'a table of a stream without serdes': [
      (b) =>
        b
          .stream('a', text)
          .map((record) => record)
          .toTable({} as never),
      'toTable: no key serde is known here, because the keys have changed: give { key }',
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(
        () => build(define),
        (error: Error) => {
          assert.ok(error instanceof TopologyError, error.stack)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }
})

test('windows have two sides, of which each may be given for itself', () => {
  const sides = ({ beforeMs, afterMs, graceMs, sizeMs }: JoinWindows) => [beforeMs, afterMs, graceMs, sizeMs]
  assert.deepEqual(sides(JoinWindows.of({ timeDifferenceMs: 7 })), [7, 7, 0, 14])
  assert.deepEqual(sides(JoinWindows.of({ timeDifferenceMs: 7, afterMs: 0, graceMs: 3 })), [7, 0, 3, 7])
  assert.deepEqual(sides(JoinWindows.of({ beforeMs: -5, afterMs: 5 })), [-5, 5, 0, 0])
})

test('the stores of a stream-stream join hold every record of the window and its grace, and nothing compacts them', () => {
  const stores = storesOf(
    build((b) =>
      b.stream('a', text).leftJoin(b.stream('b', text), joiner, windows, {
        store: 'kept',
        changelogConfig: { 'segment.bytes': '1048576' },
      }),
    ),
  )
  assert.deepEqual(
    [...stores.keys()],
    ['kept-this-join-store', 'kept-outer-other-join-store', 'kept-left-shared-join-store'],
  )
  for (const name of ['kept-this-join-store', 'kept-outer-other-join-store']) {
    const { type, windows: times, changelogConfig } = stores.get(name)!
    assert.deepEqual(
      [type, changelogConfig],
      ['window', { 'segment.bytes': '1048576', 'cleanup.policy': 'delete' }],
    )
    assert.deepEqual(
      [times?.windowSizeMs, times?.retentionMs, times?.retainDuplicates],
      [5_000, 15_000, true],
    )
  }
  const shared = stores.get('kept-left-shared-join-store')!
  assert.deepEqual([shared.type, shared.changelogConfig], ['key-value', { 'segment.bytes': '1048576' }])
})

test('a join without a changelog, in memory', () => {
  const stores = storesOf(
    build((b) => {
      b.stream('a', text).outerJoin(b.stream('b', text), joiner, windows, { logging: false, inMemory: true })
    }),
  )
  assert.equal(stores.size, 3)
  for (const { logging, inMemory, changelogConfig } of stores.values())
    assert.deepEqual([logging, inMemory, changelogConfig], [false, true, {}])
})
