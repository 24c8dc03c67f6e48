import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import { TaskGraph } from '../../../support/task-graph.ts'
import { cogroupTopologies } from './cogroup-topologies.ts'
import { joinTopologies } from './join-topologies.ts'
import type { OperatorTopology } from './operator-topology.ts'
import { streamTopologies } from './stream-topologies.ts'
import { suppressTopologies } from './suppress-topologies.ts'
import { tableTopologies } from './table-topologies.ts'
import { versionedTopologies } from './versioned-topologies.ts'
import { windowTopologies } from './window-topologies.ts'

/** The topologies of test/oracle/operators/RunOperators.java, on the same records: what comes out must be what came out there. */

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

const topologies: Record<string, OperatorTopology> = {
  ...streamTopologies,
  ...tableTopologies,
  ...windowTopologies,
  ...joinTopologies,
  ...suppressTopologies,
  ...cogroupTopologies,
  ...versionedTopologies,
}

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
  define: OperatorTopology,
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
  ).build(name.startsWith('optimized-') ? 'all' : 'none')
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
