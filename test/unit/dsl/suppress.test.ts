import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { BufferConfig, Suppressed } from '../../../src/dsl/suppressed.ts'
import { TimeWindows } from '../../../src/dsl/windows.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

const text = { key: serdes.string, value: serdes.string }
const unbounded = BufferConfig.unbounded()

describe('changes that are held back', () => {
  test('a full buffer that must not emit early ends the application', async () => {
    const full = BufferConfig.maxRecords(2).withMaxBytes(10_000).shutDownWhenFull()
    const topology = defineTopology((builder) => {
      builder
        .table('a', text)
        .suppress(Suppressed.untilTimeLimit(1_000, full), { name: 'hold' })
        .toStream()
        .to('out')
    })
    await using driver = await TopologyTestDriver.open(topology)
    const input = driver.createInputTopic('a', text)
    await input.pipeInput('k1', 'v', 1)
    await input.pipeInput('k2', 'v', 2)
    await input.pipeInput('k1', 'w', 3)
    await assert.rejects(
      input.pipeInput('k3', 'v', 4),
      /the buffer of hold is full: it has 3 records of at most 2, 97 bytes of at most 10000/,
    )
    assert.equal(driver.createOutputTopic('out', text).isEmpty, true)
  })

  test('tombstones go out at a time limit, not at the close of a window', async () => {
    const topology = defineTopology((builder) => {
      builder.table('a', text).suppress(Suppressed.untilTimeLimit(10, unbounded)).toStream().to('out')
      builder
        .stream('b', text)
        .groupByKey()
        .windowedBy(TimeWindows.of({ sizeMs: 10 }))
        .reduce((): string | null => null)
        .suppress(Suppressed.untilWindowCloses(unbounded))
        .toStream()
        .to('closed', { key: serdes.timeWindowed(serdes.string, 10), value: serdes.string as never })
    })
    await using driver = await TopologyTestDriver.open(topology)
    const a = driver.createInputTopic('a', text)
    await a.pipeInput('k', 'v', 0)
    await a.pipeInput('k', null as never, 5)
    await a.pipeInput('other', 'v', 10)
    const out = driver.createOutputTopic('out', text).readRecordsToList()
    assert.deepEqual(
      out.map(({ key, value, timestamp }) => [key, value, timestamp]),
      [['k', null, 5]],
    )
    const b = driver.createInputTopic('b', text)
    for (const timestamp of [1, 2, 30]) await b.pipeInput('k', 'v', timestamp)
    assert.equal(driver.producedTopicNames().has('closed'), false)
  })

  test('the buffer has a changelog unless it is told not to', () => {
    const storesOf = (options: object) =>
      defineTopology((builder) => {
        builder.table('a', text).suppress(Suppressed.untilTimeLimit(1, unbounded), options)
      }).build().subtopologies[0]!.stores
    const [, logged] = storesOf({ changelogConfig: { 'segment.ms': '1000' } })
    assert.equal(logged!.logging, true)
    assert.deepEqual(logged!.changelogConfig, { 'segment.ms': '1000' })
    const [, unlogged] = storesOf({ logging: false })
    assert.deepEqual([unlogged!.logging, unlogged!.inMemory], [false, true])
  })

  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'something else': [
      (b) => b.table('a', text).suppress({ waitMs: 1 } as never),
      'suppress: what Suppressed.untilWindowCloses or untilTimeLimit returns is expected, not an object',
    ],
    'a window close without windows': [
      (b) =>
        b
          .table('a', text)
          .filter(() => true, { name: 'kept' })
          .suppress(Suppressed.untilWindowCloses(unbounded) as never),
      'suppress: untilWindowCloses is for the tables of windowed aggregates; here there is none above: KTABLE-SOURCE-0000000002 -> kept',
    ],
    'a buffer that emits before the close': [
      () => Suppressed.untilWindowCloses(BufferConfig.maxRecords(1) as never),
      'Suppressed.untilWindowCloses: the buffer emits early; a window has one result only with shutDownWhenFull() or BufferConfig.unbounded()',
    ],
    'no buffer': [
      () => Suppressed.untilTimeLimit(1, undefined as never),
      'Suppressed.untilTimeLimit: a buffer made by BufferConfig is expected, not undefined',
    ],
    'a negative time': [
      () => Suppressed.untilTimeLimit(-1, unbounded),
      'Suppressed.untilTimeLimit: waitMs is -1; allowed is a whole number of milliseconds from 0',
    ],
    'a bound that is none': [
      () => BufferConfig.maxRecords(0.5),
      'BufferConfig.maxRecords: the bound is 0.5; allowed is a whole number from 0',
    ],
    'a bound below 0': [
      () => unbounded.withMaxBytes(-1),
      'BufferConfig.withMaxBytes: the bound is -1; allowed is a whole number from 0',
    ],
    'no serde': [
      (b) =>
        b
          .table('a', text)
          .mapValues(Number)
          .suppress(Suppressed.untilTimeLimit(1, unbounded), undefined as never),
      'suppress: no value serde is known here, because the values have changed: give { value }',
    ],
    'a misspelled option': [
      (b) => b.table('a', text).suppress(Suppressed.untilTimeLimit(1, unbounded), { loging: true } as never),
      'suppress: unknown option loging; allowed: key, value, name, logging, changelogConfig',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => defineTopology((builder) => void define(builder)).build(),
        (error: Error) => {
          assert.ok(error instanceof TopologyError)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }
})
