import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }
const versions = { ...text, store: 'rows', historyRetentionMs: 60_000 }
const joiner = (left: unknown, right: unknown): string => `${left}${right}`

describe('versioned tables that cannot be are refused with one line', () => {
  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'a history without a name': [
      (b) => b.table('a', { ...text, historyRetentionMs: 1 }),
      'table a: historyRetentionMs is given without a name: give { store }',
    ],
    'segments without a history': [
      (b) => b.table('a', { ...text, store: 'rows', segmentIntervalMs: 1 }),
      'table a: segmentIntervalMs is given without historyRetentionMs',
    ],
    'a history with a cache': [
      (b) => b.table('a', { ...versions, caching: true }),
      'table a: caching is true, but the versioned store rows cannot have it',
    ],
    'a history in memory': [
      (b) => b.stream('a', text).toTable({ ...versions, inMemory: true }),
      'toTable: inMemory is true, but the versioned store rows cannot have it',
    ],
    'a negative history': [
      (b) => b.table('a', { ...versions, historyRetentionMs: -1 }),
      'store rows: historyRetentionMs must be a whole number of milliseconds from 0, not -1',
    ],
    'a windowed aggregate': [
      (b) =>
        b
          .stream('a', text)
          .groupByKey()
          .reduce(joiner, { ...versions, retentionMs: 1 } as never),
      'reduce: unknown option retentionMs; allowed: key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs',
    ],
    'ranges of versions': [
      (b) =>
        b
          .stream('a', text)
          .joinRange(b.table('b', versions), joiner as never, { range: () => null as never }),
      'joinRange: the rows of KTABLE-SOURCE-0000000002 are kept in no key-value store: give that step a { store }',
    ],
    'grace over a table without versions': [
      (b) => b.stream('a', text).join(b.table('b', text), joiner, { graceMs: 1 }),
      'KSTREAM-JOIN-0000000004: graceMs is given, but the table KTABLE-SOURCE-0000000003 is not versioned: give it { store, historyRetentionMs }',
    ],
    'grace over a joined table': [
      (b) => {
        const table = b.table('b', versions)
        return b.stream('a', text).join(table.join(table, joiner), joiner, { graceMs: 1 })
      },
      'KSTREAM-JOIN-0000000006: graceMs is given, but the table KTABLE-MERGE-0000000003 is not versioned: give it { store, historyRetentionMs }',
    ],
    'more grace than history': [
      (b) => b.stream('a', text).leftJoin(b.table('b', versions), joiner, { graceMs: 60_001 }),
      'KSTREAM-LEFTJOIN-0000000003: graceMs is 60001; allowed is at most 60000, the historyRetentionMs of the table KTABLE-SOURCE-0000000002',
    ],
    'a negative grace': [
      (b) => b.stream('a', text).join(b.table('b', versions), joiner, { graceMs: -1 }),
      'join: graceMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a misspelled option': [
      (b) => b.stream('a', text).join(b.table('b', versions), joiner, { grace: 1 } as never),
      'join: unknown option grace; allowed: key, value, name, graceMs',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(name, () => {
      const build = () => defineTopology((builder) => void define(builder)).build()
      assert.throws(build, { name: 'TopologyError', message })
    })
  }
})

test('a record without a key does not wait: no row will ever be found for it', async () => {
  const nullable = serdes.string as Serde<string | null>
  const topology = defineTopology((b) => {
    const table = b.table('b', versions)
    b.stream('a', { key: nullable, value: serdes.string })
      .leftJoin(table, joiner, { graceMs: 10 })
      .to('out', text as never)
  })
  await using driver = await TopologyTestDriver.open(topology)
  const a = driver.createInputTopic('a', { key: nullable, value: serdes.string })
  const out = driver.createOutputTopic('out', { key: nullable, value: serdes.string })
  await a.pipeInput('k', 'waits', 100)
  assert.equal(out.isEmpty, true)
  await a.pipeInput(null, 'alone', 100)
  assert.deepEqual(out.readKeyValuesToList(), [{ key: null, value: 'alonenull' }])
  await a.pipeInput('other', 'later', 111)
  assert.deepEqual(out.readKeyValuesToList(), [{ key: 'k', value: 'waitsnull' }])
})
