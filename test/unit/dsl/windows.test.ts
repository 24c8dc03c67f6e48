import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { GroupedStream } from '../../../src/dsl/grouped-stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../../../src/dsl/windows.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { SinkDefinition, StoreDefinition, TopologyDefinition } from '../../../src/topology/definition.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'
import { TaskGraph } from '../../support/task-graph.ts'

const text = { key: serdes.string, value: serdes.string }

function build(define: (builder: StreamsBuilder) => void): TopologyDefinition {
  return defineTopology(define).build()
}

function onlyStore(define: (grouped: GroupedStream<string, string>) => unknown): StoreDefinition {
  const topology = build((builder) => void define(builder.stream('in', text).groupByKey()))
  return topology.subtopologies[0]!.stores[0]!
}

describe('what cannot be is refused with one line', () => {
  type Define = (grouped: GroupedStream<string, string>) => unknown
  const hopping = (): TimeWindows => TimeWindows.of({ sizeMs: 10, advanceMs: 5, graceMs: 3 })
  const refused: Readonly<Record<string, readonly [define: Define, message: string]>> = {
    'a window of no size': [
      () => TimeWindows.of({ sizeMs: 0 }),
      'TimeWindows.of: sizeMs is 0; allowed is a whole number of milliseconds from 1',
    ],
    'no options': [
      () => TimeWindows.of(undefined as never),
      'TimeWindows.of: the options must be an object with sizeMs, advanceMs, graceMs',
    ],
    'a misspelled option': [
      () => TimeWindows.of({ size: 1 } as never),
      'TimeWindows.of: unknown option size; allowed: sizeMs, advanceMs, graceMs',
    ],
    'an advance that leaves gaps': [
      () => TimeWindows.of({ sizeMs: 10, advanceMs: 11 }),
      'TimeWindows.of: advanceMs is 11; allowed is up to sizeMs, which is 10',
    ],
    'no advance': [
      () => TimeWindows.of({ sizeMs: 10, advanceMs: 0 }),
      'TimeWindows.of: advanceMs is 0; allowed is a whole number of milliseconds from 1',
    ],
    'a negative grace': [
      () => TimeWindows.of({ sizeMs: 10, graceMs: -1 }),
      'TimeWindows.of: graceMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a negative difference': [
      () => SlidingWindows.of({ timeDifferenceMs: -1 }),
      'SlidingWindows.of: timeDifferenceMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a broken gap': [
      () => SessionWindows.of({ inactivityGapMs: 0.5 }),
      'SessionWindows.of: inactivityGapMs is 0.5; allowed is a whole number of milliseconds from 0',
    ],
    'a start before 1970': [
      () => UnlimitedWindows.of({ startMs: -5 }),
      'UnlimitedWindows.of: startMs is -5; allowed is a whole number of milliseconds from 0',
    ],
    'no windows': [
      (grouped) => grouped.windowedBy({ sizeMs: 10 } as never),
      'windowedBy: TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows are expected, not an object',
    ],
    'time windows longer than the retention': [
      (grouped) => grouped.windowedBy(hopping()).count({ retentionMs: 12 }),
      'count KSTREAM-AGGREGATE-0000000003: retentionMs is 12; allowed is a whole number from 13, which is sizeMs 10 and graceMs 3 together',
    ],
    'sliding windows longer than the retention': [
      (grouped) =>
        grouped
          .windowedBy(SlidingWindows.of({ timeDifferenceMs: 10, graceMs: 1 }))
          .reduce((_, value) => value, { name: 'last', retentionMs: 20 }),
      'reduce last: retentionMs is 20; allowed is a whole number from 21, which is twice timeDifferenceMs 10 and graceMs 1 together',
    ],
    'sessions longer than the retention': [
      (grouped) =>
        grouped
          .windowedBy(SessionWindows.of({ inactivityGapMs: 10, graceMs: 1 }))
          .count({ name: 'n', retentionMs: 1 }),
      'count n: retentionMs is 1; allowed is a whole number from 11, which is inactivityGapMs 10 and graceMs 1 together',
    ],
    'a session aggregate without a merger': [
      (grouped) =>
        grouped
          .windowedBy(SessionWindows.of({ inactivityGapMs: 10 }))
          .aggregate({ initializer: () => 0, aggregator: () => 0, value: serdes.int64 } as never),
      'aggregate: merger must be a function, not undefined',
    ],
    'unlimited windows that are to close': [
      (grouped) => grouped.windowedBy(UnlimitedWindows.of()).emitStrategy('on-window-close'),
      'emitStrategy: the strategy is on-window-close, but UnlimitedWindows never close',
    ],
    'another strategy': [
      (grouped) => grouped.windowedBy(hopping()).emitStrategy('on-close' as never),
      'emitStrategy: the strategy is on-close; allowed: on-window-update, on-window-close',
    ],
    'a merger where nothing is merged': [
      (grouped) => grouped.windowedBy(hopping()).aggregate({ merger: () => 0 } as never),
      'aggregate: unknown option merger; allowed: initializer, aggregator, key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, retentionMs',
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(
        () => onlyStore(define),
        (error: unknown) => {
          assert.ok(error instanceof TopologyError, String(error))
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }
})

describe('a windowed store', () => {
  test('keeps windows as long as they take records, or longer when told to', () => {
    const time = onlyStore((grouped) =>
      grouped.windowedBy(TimeWindows.of({ sizeMs: 100_000, graceMs: 50_000 })).count(),
    )
    assert.equal(time.type, 'timestamped-window')
    assert.deepEqual(time.windows, {
      windowSizeMs: 100_000,
      retentionMs: 150_000,
      segmentIntervalMs: 75_000,
      retainDuplicates: false,
    })
    const sliding = onlyStore((grouped) =>
      grouped.windowedBy(SlidingWindows.of({ timeDifferenceMs: 100, graceMs: 7 })).count(),
    )
    assert.equal(sliding.windows?.retentionMs, 207)
    const session = onlyStore((grouped) =>
      grouped
        .windowedBy(SessionWindows.of({ inactivityGapMs: 100, graceMs: 7 }))
        .count({ retentionMs: 400, store: 'sessions', caching: true, inMemory: true, logging: false }),
    )
    const { type, name, windows, caching, inMemory, logging } = session
    assert.deepEqual(
      { type, name, retentionMs: windows?.retentionMs, caching, inMemory, logging },
      { type: 'session', name: 'sessions', retentionMs: 400, caching: true, inMemory: true, logging: false },
    )
    const unlimited = onlyStore((grouped) => grouped.windowedBy(UnlimitedWindows.of()).count())
    assert.equal(unlimited.windows?.retentionMs, Number.MAX_SAFE_INTEGER)
  })
})

describe('windowed keys', () => {
  test('are partitioned by the key alone, unless somebody chooses', () => {
    const sinks = build((builder) => {
      const table = builder
        .stream('in', text)
        .groupByKey()
        .windowedBy(TimeWindows.of({ sizeMs: 10 }))
        .count()
      table.toStream().to('windowed')
      table.toStream().to('chosen', { partitioner: () => 1 })
      builder.stream('plain', text).to('plain-out')
    }).subtopologies.flatMap(({ nodes }) =>
      nodes.filter((node): node is SinkDefinition => node.kind === 'sink'),
    )
    const partition = (topic: string, start: number): unknown =>
      sinks
        .find((sink) => sink.topic === topic)
        ?.partitioner?.(topic, { key: 'foobar', window: { start, end: start + 10 } }, 1, 1000)
    // murmur2 of foobar is -790332482.
    assert.deepEqual([partition('windowed', 0), partition('windowed', 10)], [166, 166])
    assert.equal(partition('chosen', 0), 1)
    assert.equal(partition('plain-out', 0), undefined)
  })

  test('find the rows of windowed tables in a join', async () => {
    const seen: unknown[] = []
    const topology = build((builder) => {
      const grouped = builder.stream('in', text).groupByKey()
      const windowed = { key: serdes.timeWindowed(serdes.string, 10), value: serdes.string }
      const sessions = { key: serdes.sessionWindowed(serdes.string), value: serdes.string }
      const show = ({ value }: { readonly value: string }): unknown => seen.push(value)
      builder
        .stream('asked', windowed)
        .leftJoin(
          grouped.windowedBy(TimeWindows.of({ sizeMs: 10, graceMs: 5 })).count(),
          (left, right) => `${left} ${right}`,
        )
        .forEach(show)
      builder
        .stream('asked-sessions', sessions)
        .leftJoin(
          grouped
            .windowedBy(SessionWindows.of({ inactivityGapMs: 10 }))
            .reduce((aggregate, value) => aggregate + value)
            .mapValues((value) => value.toUpperCase()),
          (left, right) => `${left} ${right}`,
        )
        .forEach(show)
    })
    await using graph = await TaskGraph.open(topology)
    for (const timestamp of [1, 2, 12]) graph.pipe('in', 'k', 'a', timestamp)
    graph.pipe('asked', { key: 'k', window: { start: 0, end: 10 } }, 'first', 12)
    graph.pipe('asked', { key: 'k', window: { start: 10, end: 20 } }, 'second', 12)
    graph.pipe('asked', { key: 'l', window: { start: 10, end: 20 } }, 'none', 12)
    graph.pipe('asked-sessions', { key: 'k', window: { start: 1, end: 12 } }, 'session', 12)
    graph.pipe('asked-sessions', { key: 'k', window: { start: 1, end: 2 } }, 'merged', 12)
    assert.deepEqual(seen, ['first 2', 'second 1', 'none null', 'session AAA', 'merged null'])
  })
})

test('an aggregate that its function changes is no other window’s', async () => {
  const seen: [number, readonly string[]][] = []
  const topology = build((builder) =>
    builder
      .stream('in', text)
      .groupByKey()
      .windowedBy(SlidingWindows.of({ timeDifferenceMs: 10, graceMs: 10 }))
      .aggregate({
        initializer: (): string[] => [],
        aggregator: (aggregate, value) => {
          aggregate.push(value)
          return aggregate
        },
        value: serdes.json<string[]>(),
      })
      .toStream()
      .forEach(({ key, value }) => {
        seen.push([key.window.start, value])
      }),
  )
  await using graph = await TaskGraph.open(topology)
  graph.pipe('in', 'k', 'a', 20)
  graph.pipe('in', 'k', 'b', 25)
  graph.pipe('in', 'k', 'c', 30)
  graph.pipe('in', 'k', 'd', 27)
  assert.deepEqual(seen, [
    [10, ['a']],
    [21, ['b']],
    [15, ['a', 'b']],
    [21, ['b', 'c']],
    [26, ['c']],
    [20, ['a', 'b', 'c']],
    [26, ['c', 'd']],
    [21, ['b', 'c', 'd']],
    [20, ['a', 'b', 'c', 'd']],
    [17, ['a', 'b', 'd']],
    [28, ['c']],
  ])
})

describe('windows that are told on close', () => {
  const closing = (builder: StreamsBuilder, seen: unknown[]): void => {
    builder
      .stream('in', text)
      .groupByKey()
      .windowedBy(TimeWindows.of({ sizeMs: 10, graceMs: 40 }))
      .emitStrategy('on-window-close')
      .count({ store: 'counts' })
      .toStream()
      .forEach(({ key: { key, window }, value }) => {
        seen.push(`${key}@${window.start} ${value}`)
      })
  }

  test('are told once, whatever the interval, and what has been told is kept for the next task', async () => {
    const seen: unknown[] = []
    const topology = build((builder) => closing(builder, seen))
    await using graph = await TaskGraph.open(topology, 1000)
    graph.pipe('in', 'a', '', 1)
    graph.pipe('in', 'b', '', 2)
    graph.pipe('in', 'a', '', 50)
    assert.deepEqual([seen, [...graph.processorMetadata]], [[], []])
    graph.nowMs += 1000
    graph.pipe('in', 'b', '', 51)
    assert.deepEqual([seen, [...graph.processorMetadata]], [['a@0 1', 'b@0 1'], [['counts', 11]]])
    graph.nowMs += 1000
    graph.pipe('in', 'a', '', 90)
    assert.deepEqual(seen, ['a@0 1', 'b@0 1'])
    graph.nowMs += 1000
    graph.pipe('in', 'a', '', 100)
    assert.deepEqual(
      [seen, [...graph.processorMetadata]],
      [['a@0 1', 'b@0 1', 'a@50 1', 'b@50 1'], [['counts', 60]]],
    )
  })

  test('are not told again by a task that comes after', async () => {
    const seen: unknown[] = []
    const topology = build((builder) => closing(builder, seen))
    await using graph = await TaskGraph.open(topology)
    graph.processorMetadata.set('counts', 20)
    for (const timestamp of [5, 15, 25, 70]) graph.pipe('in', 'a', '', timestamp)
    assert.deepEqual([seen, [...graph.processorMetadata]], [['a@20 1'], [['counts', 30]]])
  })
})
