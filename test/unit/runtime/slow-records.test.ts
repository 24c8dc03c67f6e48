import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import {
  type AsyncProcessor,
  type Processor,
  type ProcessorContext,
  RetriableError,
  type StreamRecord,
  serdes,
  Topology,
} from '../../../src/index.ts'
import { keyHash, SlowRecords } from '../../../src/runtime/slow-records.ts'
import { slowTicks } from '../../../src/runtime/ticker.ts'
import { type InputRecord, LocalTask } from '../../support/local-task.ts'

const LIMIT_MS = 800
const text = { key: serdes.string, value: serdes.string }

type Text = StreamRecord<string, string>
type Line = Readonly<Record<string, unknown>>

/** A clock whose ticks the processors of a test make, where real ones would block. */
class Ticks {
  readonly #ticks = slowTicks(new SharedArrayBuffer(4), LIMIT_MS)
  readonly counters = { slowRecords: 0 }
  readonly lines: Line[] = []
  nowMs = 0
  readonly slowRecords = new SlowRecords({
    ...this.#ticks,
    counters: this.counters,
    warn: (_message, fields) => this.lines.push(fields),
    nowMs: () => this.nowMs,
  })

  /** So much time passes, by ticks that come when they are due. */
  block(ms: number): void {
    this.#ticks.count[0]! += Math.floor(ms / this.#ticks.intervalMs)
  }

  /** What the lines say of each record, without what is the same in all. */
  get found(): unknown[] {
    return this.lines.map(({ processor, offset, durationMs }) => [processor, offset, durationMs])
  }
}

function record(value: string, key: string | null = 'k', timestamp = 0): InputRecord {
  return { key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestamp }
}

/** Blocks for as long as `when` says of a record's value, before or after it forwards. */
function blocking(
  ticks: Ticks,
  when: (value: string) => { before?: number; after?: number },
): () => Processor<string, string, string, string> {
  return () => ({
    process(one: Text, context: ProcessorContext<string, string>): void {
      const { before = 0, after = 0 } = when(one.value)
      ticks.block(before)
      context.forward(one)
      ticks.block(after)
    },
  })
}

/** in -> first -> second -> out */
function chain(
  first: () => Processor<string, string, string, string>,
  second: () => Processor<string, string, string, string>,
): Topology {
  return new Topology()
    .addSource('source', { topics: 'in', ...text })
    .addProcessor('first', first, { parents: 'source' })
    .addProcessor('second', second, { parents: 'first' })
    .addSink('sink', { parents: 'second', topic: 'out', ...text })
}

async function run(ticks: Ticks, topology: Topology, ...records: readonly InputRecord[]): Promise<void> {
  await using local = await LocalTask.open(topology, { slowRecords: ticks.slowRecords })
  local.append('in', ...records)
  await local.run()
}

describe('a slow record', () => {
  test('is found among quick ones, with the node that took the time: before it forwards, after that, or below', async () => {
    const ticks = new Ticks()
    const first = blocking(ticks, (value) =>
      value === 'before' ? { before: 1_200 } : value === 'after' ? { after: 1_200 } : {},
    )
    const second = blocking(ticks, (value) => (value === 'below' ? { before: 1_200 } : {}))
    await run(
      ticks,
      chain(first, second),
      record('quick'),
      record('before'),
      record('quick'),
      record('after'),
      record('below'),
      record('quick'),
    )
    assert.deepEqual(ticks.found, [
      ['first', 1, 1_200],
      ['first', 3, 1_200],
      ['second', 4, 1_200],
    ])
    assert.equal(ticks.counters.slowRecords, 3)
  })

  test('is told with its place and the hash of its key, never with the key', async () => {
    const ticks = new Ticks()
    const slow = blocking(ticks, () => ({ before: 1_200 }))
    await run(
      ticks,
      chain(
        slow,
        blocking(ticks, () => ({})),
      ),
      record('a', 'user-17'),
      record('b', null),
    )
    const hash = createHash('sha256').update('user-17').digest('hex').slice(0, 16)
    const place = {
      task: '0_0',
      processor: 'first',
      topic: 'in',
      partition: 0,
      durationMs: 1_200,
      leftOut: 0,
    }
    assert.deepEqual(ticks.lines, [
      { ...place, offset: 0, keyHash: hash },
      { ...place, offset: 1, keyHash: null },
    ])
    assert.equal(keyHash(Buffer.from('user-17')), hash)
    assert.doesNotMatch(JSON.stringify(ticks.lines), /user/)
  })

  test('is one whose nodes are slow together; the slower one is named', async () => {
    const ticks = new Ticks()
    const first = blocking(ticks, () => ({ before: 300 }))
    const second = blocking(ticks, () => ({ before: 600 }))
    await run(ticks, chain(first, second), record('a'))
    assert.deepEqual(ticks.found, [['second', 0, 900]])
  })

  test('is not one that may have taken less than the limit: a tick may come at once', async () => {
    const ticks = new Ticks()
    await run(
      ticks,
      chain(
        blocking(ticks, () => ({ before: LIMIT_MS })),
        blocking(ticks, () => ({})),
      ),
      record('a'),
    )
    assert.deepEqual(ticks.found, [])
  })

  test('is not one before or after which time passes: between turns, in punctuators, in many records together', async () => {
    const ticks = new Ticks()
    const first = (): Processor<string, string, string, string> => ({
      init(context): void {
        context.schedule({ intervalMs: 10, type: 'stream-time' }, () => ticks.block(5_000))
      },
      process(one, context): void {
        ticks.block(100)
        context.forward(one)
      },
    })
    await using local = await LocalTask.open(
      chain(
        first,
        blocking(ticks, () => ({})),
      ),
      {
        slowRecords: ticks.slowRecords,
      },
    )
    for (let turn = 0; turn < 5; turn++) {
      for (let index = 0; index < 20; index++) local.append('in', record('a', 'k', turn * 1_000 + index * 20))
      await local.turn()
      ticks.block(5_000)
    }
    assert.deepEqual(ticks.found, [])
  })

  test('is found when it fails, and is tried again', async () => {
    const ticks = new Ticks()
    let attempts = 0
    const first = (): Processor<string, string, string, string> => ({
      process(one, context): void {
        if (one.value === 'fails' && attempts++ === 0) {
          ticks.block(5_000)
          throw new RetriableError('later')
        }
        context.forward(one)
      },
    })
    await run(
      ticks,
      chain(
        first,
        blocking(ticks, () => ({})),
      ),
      record('fails'),
      record('quick'),
    )
    assert.equal(attempts, 2)
    assert.deepEqual(ticks.found, [['first', 0, 5_000]])
  })

  test('of several inputs is told with its own topic', async () => {
    const ticks = new Ticks()
    const topology = new Topology()
      .addSource('left', { topics: 'in', ...text })
      .addSource('right', { topics: 'other', ...text })
      .addProcessor(
        'both',
        blocking(ticks, (value) => (value === 'slow' ? { before: 1_000 } : {})),
        {
          parents: ['left', 'right'],
        },
      )
      .addSink('sink', { parents: 'both', topic: 'out', ...text })
    await using local = await LocalTask.open(topology, { slowRecords: ticks.slowRecords })
    local.append('in', record('quick', 'k', 1), record('quick', 'k', 3))
    local.append('other', record('quick', 'k', 0), record('slow', 'k', 2))
    await local.run()
    assert.deepEqual(
      ticks.lines.map(({ topic, offset }) => [topic, offset]),
      [['other', 1]],
    )
  })
})

describe('a slow record of an async processor', () => {
  function waiting(make: () => AsyncProcessor<string, string, string, string, unknown>): Topology {
    return new Topology()
      .addSource('source', { topics: 'in', ...text })
      .addAsyncProcessor('waiting', make, { parents: 'source', concurrency: 4 })
      .addSink('sink', { parents: 'waiting', topic: 'out', ...text })
  }

  test('is one whose promise takes long, whatever the others do meanwhile', async () => {
    const ticks = new Ticks()
    const answered = Promise.withResolvers<void>()
    const topology = waiting(() => ({
      process: ({ value }) => (value === 'slow' ? answered.promise : Promise.resolve()),
      complete: (one, _result, context) => context.forward(one),
    }))
    await using local = await LocalTask.open(topology, { slowRecords: ticks.slowRecords })
    local.append('in', record('quick', 'a'), record('slow', 'b'), record('quick', 'c'))
    await local.turn()
    // The quick ones have settled by then.
    await nextTurn()
    ticks.block(1_200)
    answered.resolve()
    await local.run()
    assert.deepEqual(ticks.found, [['waiting', 1, 1_200]])
  })

  test('is one whose turn takes long', async () => {
    const ticks = new Ticks()
    const topology = waiting(() => ({
      process: () => Promise.resolve(),
      complete: (one, _result, context) => {
        if (one.value === 'slow') ticks.block(1_200)
        context.forward(one)
      },
    }))
    await run(ticks, topology, record('quick', 'a'), record('slow', 'b'), record('quick', 'c'))
    assert.deepEqual(ticks.found, [['waiting', 1, 1_200]])
  })
})

test('ten lines a minute; the next one says how many were left out, and all are counted', () => {
  const ticks = new Ticks()
  const slow = { node: 'n', topic: 't', partition: 0, key: null, durationMs: 1_000 }
  for (let offset = 0; offset < 25; offset++) ticks.slowRecords.found('0_0', { ...slow, offset })
  assert.equal(ticks.lines.length, 10)
  ticks.nowMs = 60_000
  ticks.slowRecords.found('0_0', { ...slow, offset: 25 })
  ticks.slowRecords.found('0_0', { ...slow, offset: 26 })
  assert.deepEqual(
    ticks.lines.slice(9).map(({ offset, leftOut }) => [offset, leftOut]),
    [
      [9, 0],
      [25, 15],
      [26, 0],
    ],
  )
  assert.equal(ticks.counters.slowRecords, 27)
})
