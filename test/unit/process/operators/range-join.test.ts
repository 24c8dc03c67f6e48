import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../../../src/state/store.ts'
import { stores } from '../../../../src/topology/stores.ts'
import { TopologyError } from '../../../../src/topology/topology-error.ts'
import { Random } from '../../../support/seed.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

interface RowKey {
  readonly user: string
  readonly time: number
}

/** user 00 time(8) */
const rowKey: Serde<RowKey> = {
  name: 'row-key',
  serialize({ user, time }, writer) {
    writer.writeUtf8(user)
    writer.writeUInt8(0)
    writer.writeInt64(time)
  },
  deserialize: (buffer, start, end) => ({
    user: buffer.toString('utf8', start, end - 9),
    time: Number(buffer.readBigInt64BE(end - 8)),
  }),
}

/** user 00: what all keys of a user begin with */
const userPrefix: Serde<string> = {
  name: 'user-prefix',
  serialize(user, writer) {
    writer.writeUtf8(user)
    writer.writeUInt8(0)
  },
  deserialize: (buffer, start, end) => buffer.toString('utf8', start, end - 1),
}

interface Query {
  readonly from?: number
  readonly to?: number
  readonly reverse?: boolean
}

const rows = { key: rowKey, value: serdes.string }
const queries = { key: serdes.string, value: serdes.json<Query>() }

function boundsOf({ key: user, value }: { readonly key: string; readonly value: Query }) {
  const { from, to, reverse } = value
  if (from === undefined) return { prefix: user }
  if (to === undefined) return null
  return { from: { user, time: from }, to: { user, time: to }, ...(reverse !== undefined && { reverse }) }
}

type Show = (builder: StreamsBuilder, out: (joined: string) => void) => void

/** The rows of a table, and those of a store that a processor fills. */
const sources: Record<string, Show> = {
  'a table': (builder, out) => {
    const table = builder.table('rows', rows)
    builder
      .stream('queries', queries)
      .joinRange(
        table,
        (_, found, user) =>
          `${user}: ${Array.from(found, ({ key, value, timestamp }) => `${key.user}@${key.time}=${value}/${timestamp}`)}`,
        { range: boundsOf, prefix: userPrefix },
      )
      .forEach(({ value }) => {
        out(value)
      })
  },
  'a store': (builder, out) => {
    builder.addStateStore(stores.keyValue({ name: 'kept', ...rows }))
    builder.stream('rows', rows).process(
      () => {
        let kept: KeyValueStore<RowKey, string>
        return {
          init(context) {
            kept = context.stateStore('kept')
          },
          process: ({ key, value, timestamp }) =>
            kept.put(key, value === null ? null : `${value}/${timestamp}`),
        }
      },
      { stores: ['kept'] },
    )
    builder
      .stream('queries', queries)
      .joinRange(
        'kept',
        (_, found: Iterable<{ readonly key: RowKey; readonly value: string }>, user) =>
          `${user}: ${Array.from(found, ({ key, value }) => `${key.user}@${key.time}=${value}`)}`,
        { range: boundsOf, prefix: userPrefix },
      )
      .forEach(({ value }) => {
        out(value)
      })
  },
}

const user = fc.constantFrom('a', 'aa', 'b')
const time = fc.nat(20)
const step = fc.oneof(
  fc.record({ user, time, value: fc.option(fc.constantFrom('x', 'y')), evict: fc.boolean() }),
  fc.record({
    user,
    query: fc.record({ from: time, to: time, reverse: fc.boolean() }, { requiredKeys: [] }),
  }),
)

describe('a range join finds what a sorted list has', () => {
  const { seed } = new Random()

  for (const [name, define] of Object.entries(sources)) {
    test(`${name}, seed ${seed}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const found: string[] = []
          const topology = defineTopology((builder) =>
            define(builder, (joined) => void found.push(joined)),
          ).build()
          await using graph = await TaskGraph.open(topology)
          const model = new Map<string, { user: string; time: number; text: string }>()
          const expected: string[] = []
          for (const [index, action] of steps.entries()) {
            if ('query' in action) {
              graph.pipe('queries', action.user, action.query, index)
              expected.push(`${action.user}: ${rowsOf(model, action.user, action.query)}`)
              continue
            }
            const id = `${action.user} ${action.time}`
            const text = `${action.user}@${action.time}=${action.value}/${index}`
            if (action.value === null) model.delete(id)
            else model.set(id, { user: action.user, time: action.time, text })
            graph.pipe('rows', { user: action.user, time: action.time }, action.value, index)
            if (action.evict) graph.evict()
          }
          assert.deepEqual(found, expected)
        }),
        { seed, numRuns: 60 },
      )
    })
  }
})

function rowsOf(
  model: ReadonlyMap<string, { user: string; time: number; text: string }>,
  user: string,
  { from, to, reverse }: Query,
): string[] {
  const ofUser = [...model.values()].filter((row) => row.user === user).sort((a, b) => a.time - b.time)
  if (from === undefined) return ofUser.map(({ text }) => text)
  if (to === undefined) return []
  const within = ofUser.filter(({ time }) => time >= from && time <= to).map(({ text }) => text)
  return reverse === true ? within.reverse() : within
}

test('keys and values alone; null keys and values are dropped; a scan ends with its joiner', async () => {
  const seen: unknown[] = []
  const see = ({ value }: { readonly value: unknown }): void => void seen.push(value)
  const kept: Iterable<string>[] = []
  const topology = defineTopology((builder) => {
    const table = builder.table('rows', rows)
    const stream = builder.stream('queries', queries)
    const range = ({ key }: { key: string }) => ({ from: { user: key, time: 0 }, to: { user: key, time: 9 } })
    stream.joinRange(table, (_, found) => [...found.values()], { range }).forEach(see)
    stream
      .joinRange(table, (_, found) => Array.from(found.keys(), ({ time }) => time), { range })
      .forEach(see)
    stream.joinRange(table, (_, found) => kept.push(found.values()), { range })
  }).build()
  await using graph = await TaskGraph.open(topology)
  graph.pipe('rows', { user: 'a', time: 1 }, 'x', 5)
  graph.pipe('rows', { user: 'a', time: 2 }, 'y', 5)
  graph.pipe('queries', 'a', {}, 1)
  graph.pipe('queries', null, {}, 1)
  graph.pipe('queries', 'a', null, 1)
  assert.deepEqual(seen, [
    ['x', 'y'],
    [1, 2],
  ])
  assert.deepEqual([...kept[0]!], [])
  assert.equal(graph.dropped.length, 6)
})

test('a range that is none says so', async () => {
  const bounds: unknown[] = [undefined, { from: null, to: { user: 'a', time: 1 } }, { prefix: 'a' }]
  const topology = defineTopology((builder) => {
    builder.stream('queries', queries).joinRange(builder.table('rows', { ...rows, store: 'kept' }), () => 1, {
      range: () => bounds.shift() as never,
    })
  }).build()
  await using graph = await TaskGraph.open(topology)
  const allowed = 'allowed are { from, to } with two keys, { prefix } and null'
  for (const message of [
    `the range of kept is from undefined to undefined; ${allowed}`,
    `the range of kept is from null to [object Object]; ${allowed}`,
    'the range of kept is a prefix, but joinRange was given no { prefix } serde',
  ])
    assert.throws(() => graph.pipe('queries', 'a', {}, 1), { name: 'TypeError', message })
})

test('a store without ranges of keys says so at the start', async () => {
  const topology = defineTopology((builder) => {
    const { string } = serdes
    builder.addStateStore(
      stores.tieredByPrefix({ name: 'kept', prefix: string, rest: string, value: string }),
    )
    builder.stream('queries', queries).joinRange('kept', () => 1, { range: () => null })
  }).build()
  await assert.rejects(
    (async () => TaskGraph.open(topology))(),
    /joinRange: store kept is no key-value store: scan it in a processor/,
  )
})

describe('range joins that cannot be are refused with one line', () => {
  const range = () => null
  const refused: Record<string, readonly [(builder: StreamsBuilder) => unknown, string]> = {
    'a table without a store': [
      (b) =>
        b.stream('queries', queries).joinRange(
          b.table('rows', rows).filter(() => true),
          () => 1,
          { range },
        ),
      'joinRange: the rows of KTABLE-FILTER-0000000004 are kept in no key-value store: give that step a { store }',
    ],
    'a stream': [
      (b) => b.stream('queries', queries).joinRange(b.stream('rows', rows) as never, () => 1, { range }),
      "joinRange: a table or a store's name is expected, not an object",
    ],
    'a store that is not there': [
      (b) => b.stream('queries', queries).joinRange('none', () => 1, { range }),
      'processor KSTREAM-JOINRANGE-0000000001: there is no store none',
    ],
    'no range': [
      (b) => b.stream('queries', queries).joinRange(b.table('rows', rows), () => 1, {} as never),
      'joinRange: range must be a function, not undefined',
    ],
    'a misspelled option': [
      (b) =>
        b.stream('queries', queries).joinRange(b.table('rows', rows), () => 1, { range, limit: 1 } as never),
      'joinRange: unknown option limit; allowed: range, prefix, key, value, name',
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(
        () => defineTopology((builder) => void define(builder)).build(),
        (error: Error) => {
          assert.ok(error instanceof TopologyError, error.stack)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }
})
