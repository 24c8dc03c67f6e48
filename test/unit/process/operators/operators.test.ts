import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../../../../src/dsl/windows.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { Windowed } from '../../../../src/state/store.ts'
import { TaskGraph } from '../../../support/task-graph.ts'
import { cogroupTopologies } from './cogroup-topologies.ts'
import { type Collect, joinTopologies, type OperatorTopology, type Rows } from './join-topologies.ts'
import { suppressTopologies } from './suppress-topologies.ts'

/** The topologies of test/oracle/operators/RunOperators.java, on the same records: what comes out must be what came out there. */

type Text = string | null

const nullable = serdes.string as Serde<Text>
const text = { key: nullable, value: nullable }
const RECORDS = 400
/** How often closed windows are looked for at most: always, unless named here. */
const EMIT_INTERVALS_MS: Readonly<Record<string, number>> = { 'window-close': 1000, 'session-close': 1000 }
/** For these the dropped records are compared too. */
const WINDOWED = /^(window|session|sliding)-/
/** How far the wall clock goes with each record. */
const RECORD_MS = 300

/** Timestamps are multiplied by this, 1 unless named here: to reach several segments of a store. */
const SCALES: Readonly<Record<string, number>> = {
  'window-segments': 6000,
  'sliding-segments': 6000,
  'session-segments': 6000,
  'window-close-segments': 6000,
  'sliding-close-segments': 6000,
  'session-close-segments': 6000,
}

function show<V, VS extends SerdeState, Absent extends null>(
  table: Table<Windowed<string>, V, VS, Absent>,
  label: string,
  out: Collect,
): void {
  out(
    table
      .toStream()
      .selectKey(({ key: { key, window } }) => `${key}@${window.start}-${window.end}`)
      .mapValues((value) => `${label}${value}`),
  )
}

function append(aggregate: string, value: Text): Text {
  return aggregate.length > 12 ? null : aggregate + value
}

const appended = { initializer: () => 'i', aggregator: append, value: serdes.string }

/** What needs old values, and what keeps rows under windowed keys. */
function showFiltered<Absent extends null>(
  table: Table<Windowed<string>, string, 'known', Absent>,
  out: Collect,
  rows: Rows,
): void {
  show(table, '', out)
  show(
    table.filter((value) => value.length < 7),
    'short ',
    out,
  )
  show(
    table.filter((value) => value.length < 8, { ...rows, store: 'kept' }),
    'kept ',
    out,
  )
  show(
    table.mapValues((value) => (value.length > 9 ? null : value.length)),
    'length ',
    out,
  )
}

function grouped(builder: StreamsBuilder) {
  return builder.stream('a', text).groupByKey()
}

const topologies: Record<string, OperatorTopology> = {
  'window-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 20, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'window-hopping': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 25, advanceMs: 7 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'window-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 10, advanceMs: 5, graceMs: 15 }))
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'window-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 90_000, advanceMs: 40_000, graceMs: 50_000 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'window-unlimited': (builder, out, rows) =>
    out(
      grouped(builder)
        .windowedBy(UnlimitedWindows.of({ startMs: 1100 }))
        .count(rows)
        .toStream()
        .selectKey(({ key: { key, window } }) => `${key}@${window.start}`)
        .mapValues(String),
    ),

  'window-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 20, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'window-close-hopping': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 10, advanceMs: 4 }))
        .emitStrategy('on-window-close')
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'window-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 9000, graceMs: 5000 }))
        .emitStrategy('on-window-close')
        .reduce(append, rows),
      '',
      out,
    ),

  'session-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'session-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3000, graceMs: 30_000 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'sliding-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 12, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'sliding-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 20_000, graceMs: 9000 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'session-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'session-reduce': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 2 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'session-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 1, graceMs: 20 }))
        .aggregate({ ...appended, merger: (one, two) => `${one}+${two}`, ...rows }),
      out,
      rows,
    ),

  'session-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 15_000, graceMs: 90_000 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 12, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-reduce': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 6 }))
        .reduce((aggregate, value) => aggregate + value, rows),
      '',
      out,
    ),

  'sliding-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 5, graceMs: 30 }))
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'sliding-early': (builder, out, rows) =>
    show(
      builder
        .stream('a', text)
        .filter(({ key }) => key !== 'k0')
        .groupByKey()
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 1200, graceMs: 30 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 50_000, graceMs: 40_000 }))
        .count(rows),
      '',
      out,
    ),

  'stream-steps': (builder, out) =>
    out(
      builder
        .stream('a', text)
        .filter(({ value }) => value !== null)
        .map(({ key, value }) => ({ key: value, value: key }))
        .filterNot(({ key }) => key === 'v3')
        .flatMapValues((value) => (value === null ? ['none'] : [value, value + value]))
        .selectKey(({ key, value }) => `${key}-${value}`)
        .flatMap(({ key, value }) =>
          value.length > 2
            ? []
            : [
                { key, value },
                { key: value, value: key },
              ],
        )
        .mapValues((value, key) => `${key}/${value}`)
        .peek(() => {}),
    ),

  merge: (builder, out) => out(builder.stream('a', text).merge(builder.stream('b', text))),

  count: (builder, out, rows) => {
    const counts = builder.stream('a', text).groupByKey().count(rows)
    out(counts.toStream().mapValues((value) => String(value)))
  },

  'count-filtered': (builder, out, rows) => {
    const counts = builder.stream('a', text).groupByKey().count(rows)
    const show = (value: number | null) => String(value)
    out(
      counts
        .filter((value) => value % 3 === 0)
        .toStream()
        .mapValues(show),
    )
    out(
      counts
        .filterNot((value) => value < 5 || value > 9)
        .toStream()
        .mapValues(show),
    )
  },

  reduce: (builder, out, rows) =>
    out(
      builder
        .stream('a', text)
        .groupByKey()
        .reduce((aggregate, value) => (aggregate.length > 8 ? null : aggregate + value), rows)
        .toStream(),
    ),

  aggregate: (builder, out, rows) => {
    const table = builder
      .stream('a', text)
      .groupByKey()
      .aggregate({
        initializer: () => 'i',
        aggregator: (aggregate, value) => (aggregate.length > 8 ? null : aggregate + value),
        value: serdes.string,
        ...rows,
      })
    out(table.toStream())
    out(
      table
        .filter((value) => value.length < 5)
        .toStream()
        .mapValues((value) => `short ${value}`),
    )
    out(
      table
        .filter((value) => value.length < 6, { ...rows, store: 'kept' })
        .toStream()
        .mapValues((value) => `kept ${value}`),
    )
    out(
      table
        .mapValues((value) => (value.length > 6 ? null : `<${value}>`))
        .filter((value) => !value.includes('v1'))
        .toStream(),
    )
  },

  'table-unread': (builder, out) => {
    const table = builder.table('a', text)
    out(table.filter((value) => value < 'v5').toStream())
    out(table.mapValues((value) => `m${value}`).toStream())
  },

  'table-stored': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows, store: 'stored' })
    out(table.filter((value) => value < 'v5').toStream())
    out(
      table
        .filterNot((value) => value < 'v5', { ...rows, store: 'others' })
        .toStream()
        .mapValues((value) => `not ${value}`),
    )
    out(
      table
        .mapValues((value) => (value === 'v7' ? null : `m${value}`), {
          ...rows,
          store: 'mapped',
          value: serdes.string,
        })
        .filter((value) => value !== 'mv2')
        .toStream(),
    )
  },

  join: (builder, out, rows) => {
    const table = builder.table('b', { ...text, ...rows })
    out(builder.stream('a', text).join(table, (left, right) => `${left}+${right}`))
    const small = table.filter((value) => value < 'v5')
    out(builder.stream('a', text).join(small, (left, right) => `${left}<${right}`))
    out(table.toStream().mapValues((value) => `table ${value}`))
  },

  'left-join': (builder, out, rows) => {
    const table = builder.table('b', { ...text, ...rows })
    const mapped = table.mapValues((value) => (value === 'v2' ? null : `m${value}`))
    out(builder.stream('a', text).leftJoin(table, (left, right, key) => `${key}:${left}+${right}`))
    out(builder.stream('a', text).leftJoin(mapped, (left, right) => `${left}~${right}`))
  },

  'join-aggregate': (builder, out, rows) => {
    const counts = builder.stream('b', text).groupByKey().count(rows)
    out(builder.stream('a', text).join(counts, (left, right) => `${left}#${right}`))
  },
}

Object.assign(topologies, joinTopologies, suppressTopologies, cogroupTopologies)

/** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
function generator(): (bound: number) => number {
  let state = 42n
  return (bound) => {
    state = (state * 1103515245n + 12345n) & 0x7fffffffn
    return Number((state >> 8n) % BigInt(bound))
  }
}

/** @param flushEvery with caching: what is kept back is flushed after so many records, and after the last; 0: without caching */
async function run(
  name: string,
  define: (builder: StreamsBuilder, out: Collect, rows: Rows) => void,
  evictEvery: number,
  flushEvery: number,
  inMemory = false,
): Promise<string> {
  let lines: string[] = []
  let output = ''
  const topology = defineTopology((builder) =>
    define(
      builder,
      (stream) =>
        stream.forEach(({ key, value, timestamp }) => {
          lines.push(`${key} ${value} ${timestamp}\n`)
        }),
      { inMemory, caching: flushEvery > 0 },
    ),
  ).build()
  const topics = topology.subtopologies.flatMap(({ sourceTopics }) => sourceTopics)
  const emitIntervalMs = name.includes('throttled') ? 1_000 : EMIT_INTERVALS_MS[name]
  await using graph = await TaskGraph.open(topology, emitIntervalMs)
  const next = generator()
  for (let index = 0; index < RECORDS; index++) {
    const topic = next(3) === 0 ? 'b' : 'a'
    const key = next(10) === 0 ? null : `k${next(4)}`
    const value = next(8) === 0 ? null : `v${next(10)}`
    const timestamp = (1000 + index + next(40)) * (SCALES[name] ?? 1)
    if (topics.includes(topic)) graph.pipe(topic, key, value, timestamp)
    if (flushEvery === 0) graph.nowMs += RECORD_MS
    if (index % evictEvery === evictEvery - 1) graph.evict()
    if (flushEvery > 0 && index < RECORDS - 1 && index % flushEvery !== flushEvery - 1) continue
    if (flushEvery > 0) graph.nowMs += flushEvery * RECORD_MS
    graph.flush()
    output += lines.map((line) => `${index} ${line}`).join('')
    lines = []
  }
  if (WINDOWED.test(name)) output += `dropped ${graph.dropped.length}\n`
  return output
}

describe("operators give what Kafka Streams' TopologyTestDriver gave", () => {
  const fixtures = new URL('fixtures/', import.meta.url)

  test('there is a fixture for each topology', () => {
    const names = Object.keys(topologies).map((name) => `${name}.txt`)
    assert.deepEqual(readdirSync(fixtures).sort(), [...names, 'caching'].sort())
  })

  for (const [name, define] of Object.entries(topologies)) {
    for (const evictEvery of [RECORDS, 7]) {
      test(`${name}, rows leaving the cache every ${evictEvery} records`, async () => {
        assert.equal(
          await run(name, define, evictEvery, 0),
          readFileSync(new URL(`${name}.txt`, fixtures), 'utf8'),
        )
      })
    }
  }

  for (const [name, define] of Object.entries(topologies).filter(([name]) => WINDOWED.test(name))) {
    test(`${name} in memory`, async () => {
      assert.equal(
        await run(name, define, 7, 0, true),
        readFileSync(new URL(`${name}.txt`, fixtures), 'utf8'),
      )
    })
  }

  for (const file of readdirSync(new URL('caching/', fixtures))) {
    const name = file.replace('.txt', '')
    const define = topologies[name]!
    for (const evictEvery of [RECORDS, 3]) {
      test(`${file} with caching, flushed every 7 records, rows leaving the cache every ${evictEvery}`, async () => {
        assert.equal(
          await run(name, define, evictEvery, 7),
          readFileSync(new URL(`caching/${file}`, fixtures), 'utf8'),
        )
      })
    }
  }
})
