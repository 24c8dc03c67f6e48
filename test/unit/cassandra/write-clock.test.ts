import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { countStart } from '../../../src/cassandra/task-starts.ts'
import { WriteClock } from '../../../src/cassandra/write-clock.ts'
import { Random } from '../../support/seed.ts'

const NOW_MS = Date.UTC(2025, 0, 1)

interface Write {
  readonly offset: number
  readonly row: string
  readonly timestampUs: number
}

function startClock(metadata: Map<string, number>, nowMs = NOW_MS): WriteClock {
  countStart(metadata, nowMs)
  return new WriteClock(metadata)
}

/** Processes records from an offset on. Each writes some of a few rows, once or twice. */
function process(
  metadata: Map<string, number>,
  records: readonly { readonly timestampMs: number; readonly rows: readonly string[] }[],
  from: number,
  to: number,
): Write[] {
  const clock = startClock(metadata)
  const writes: Write[] = []
  for (let offset = from; offset < to; offset++) {
    const { timestampMs, rows } = records[offset]!
    clock.record(timestampMs)
    for (const row of rows) writes.push({ offset, row, timestampUs: clock.write(row) })
  }
  return writes
}

describe('timestamps of writes', () => {
  test('a later record has a later timestamp, whatever its own is; the same row twice, too', () => {
    const random = new Random()
    const records = Array.from({ length: 5_000 }, () => ({
      // Clocks that are wrong by seconds, many records of one millisecond, and one in a thousand far ahead.
      timestampMs: NOW_MS + random.below(2_000) + (random.below(1_000) === 0 ? 1e9 : 0),
      rows: Array.from({ length: random.below(4) }, () => `r${random.below(3)}`),
    }))
    const writes = process(new Map(), records, 0, records.length)
    const last = new Map<string, number>()
    let highest = 0
    for (const { row, timestampUs, offset } of writes) {
      assert.ok(timestampUs > (last.get(row) ?? 0), `seed ${random.seed}: ${row} at ${offset}`)
      assert.ok(timestampUs >= highest, `seed ${random.seed}: at ${offset}`)
      highest = timestampUs
      last.set(row, timestampUs)
    }
  })

  test('a record whose own timestamp is the latest has that, and a microsecond for each start', () => {
    const metadata = new Map([
      ['weir.cassandra.starts', 4],
      ['weir.cassandra.clock', 5_000_000],
    ])
    const clock = startClock(metadata)
    clock.record(6_000)
    assert.equal(clock.write('a'), 6_000_000 + 5)
    assert.deepEqual([...metadata].sort(), [
      ['weir.cassandra.clock', 6_000_000],
      ['weir.cassandra.starts', 5],
    ])
  })

  test('crashes: what is processed again beats the first time, and never what came after it', () => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    const records = Array.from({ length: 2_000 }, () => ({
      timestampMs: NOW_MS + random.below(50),
      rows: random.below(5) === 0 ? [] : [`r${random.below(20)}`],
    }))
    // What Cassandra would have.
    const rows = new Map<string, Write>()
    let committed = { offset: 0, metadata: new Map<string, number>() }
    let lives = 0
    for (; committed.offset < records.length; lives++) {
      const from = committed.offset
      const to = Math.min(records.length, from + random.below(150))
      const writes = process(new Map(committed.metadata), records, from, to)
      for (const write of random.below(2) === 0 ? writes : writes.toReversed()) {
        const present = rows.get(write.row)
        const told = `${seed}: ${write.offset} at ${write.timestampUs}, ${present?.offset} at ${present?.timestampUs}`
        if (present !== undefined) {
          const isNewer = write.timestampUs > present.timestampUs
          assert.equal(isNewer, write.offset >= present.offset, told)
        }
        if (present === undefined || write.timestampUs > present.timestampUs) rows.set(write.row, write)
      }
      // It ends after a commit that covers some of it, or before; its start was committed in any case.
      const commitAt = random.below(3) > 0 ? from + random.below(to - from + 1) : from
      const metadata = new Map(committed.metadata)
      process(metadata, records, from, commitAt)
      committed = { offset: commitAt, metadata }
    }
    assert.ok(lives > 5, `${seed}: ${lives} lives`)
    const should = new Map<string, number>()
    for (const [offset, record] of records.entries()) for (const row of record.rows) should.set(row, offset)
    const is = new Map([...rows].map(([row, { offset }]) => [row, offset]))
    assert.deepEqual(new Map([...is].sort()), new Map([...should].sort()), seed)
  })

  test('after a reset everything beats what was there, record by record', () => {
    const records = Array.from({ length: 100 }, (_, offset) => ({
      timestampMs: NOW_MS + offset,
      rows: ['a'],
    }))
    const before = new Map<string, number>()
    process(before, records, 0, 0)
    const old = process(before, records, 0, 100)
    const clock = startClock(new Map(), NOW_MS + 10 * 60_000)
    for (const [offset, { timestampMs }] of records.entries()) {
      clock.record(timestampMs)
      assert.ok(clock.write('a') > old[offset]!.timestampUs)
    }
  })

  test('a timestamp that cannot be a number of microseconds does not count', () => {
    const clock = startClock(new Map([['weir.cassandra.starts', 0]]))
    clock.record(NOW_MS)
    const before = clock.write('a')
    // Somebody gave nanoseconds.
    clock.record(NOW_MS * 1e6)
    assert.equal(clock.write('a'), before + 16)
  })
})
