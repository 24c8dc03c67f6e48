import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

import { parseTarget, type TargetOptions, targetOffset } from '../../../src/cli/reset-target.ts'

const nowMs = Date.UTC(2025, 5, 30, 12)
/** Holds 10 up to 99; the group is at 50; the first record of the time asked for is 70. */
const partition = { topic: 'in', partition: 1, committed: 50, earliest: 10, end: 100, since: 70 }

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'weir-reset-')), 'offsets.csv')
  writeFileSync(path, text)
  return path
}

const reached: readonly (readonly [options: TargetOptions, offset: number | null])[] = [
  [{}, 10],
  [{ toEarliest: true }, 10],
  [{ toLatest: true }, 100],
  [{ toOffset: '42' }, 42],
  [{ toOffset: '9' }, 10],
  [{ toOffset: '101' }, 100],
  [{ toDatetime: '2025-06-30T00:00:00' }, 70],
  [{ byDuration: 'PT90S' }, 70],
  [{ shiftBy: '-7' }, 43],
  [{ shiftBy: '7' }, 57],
  [{ shiftBy: '-1000' }, 10],
  [{ fromFile: file('in,1,33\nin,0,1\n') }, 33],
  [{ fromFile: file('"in",1,133\r\n') }, 100],
  [{ fromFile: file('in,0,33\n') }, null],
]
for (const [options, offset] of reached) {
  test(`${JSON.stringify(options)} is within what the partition holds`, () => {
    assert.equal(targetOffset(parseTarget(options, nowMs), partition), offset)
  })
}

test('what is not there is not counted from, and a time after the last record is the end', () => {
  assert.equal(targetOffset(parseTarget({ shiftBy: '1' }, nowMs), { ...partition, committed: null }), null)
  const later = { ...partition, since: null }
  assert.equal(targetOffset(parseTarget({ byDuration: 'PT0S' }, nowMs), later), 100)
})

test('times are UTC unless they say otherwise, and durations are ISO 8601', () => {
  const times: readonly (readonly [options: TargetOptions, time: string])[] = [
    [{ toDatetime: '2025-06-30T11:00:00.250' }, '2025-06-30T11:00:00.250Z'],
    [{ toDatetime: '2025-06-30T11:00:00Z' }, '2025-06-30T11:00:00.000Z'],
    [{ toDatetime: '2025-06-30T11:00:00+0200' }, '2025-06-30T09:00:00.000Z'],
    [{ toDatetime: '2025-06-30T11:00:00-05:30' }, '2025-06-30T16:30:00.000Z'],
    [{ byDuration: 'P1DT2H' }, '2025-06-29T10:00:00.000Z'],
    [{ byDuration: 'PT30M1.5S' }, '2025-06-30T11:29:58.500Z'],
    [{ byDuration: 'P999999D' }, '1970-01-01T00:00:00.000Z'],
  ]
  for (const [options, time] of times)
    assert.deepEqual(parseTarget(options, nowMs), { kind: 'time', timeMs: Date.parse(time) })
})

const refused: readonly (readonly [options: TargetOptions, message: RegExp])[] = [
  [{ toOffset: '-1' }, /^--to-offset -1: expected an integer of at least 0$/],
  [{ toOffset: '1e3' }, /^--to-offset 1e3: expected an integer/],
  [{ shiftBy: '1.5' }, /^--shift-by 1\.5: expected an integer$/],
  [{ toDatetime: '2025-06-30' }, /^--to-datetime 2025-06-30: expected a time/],
  [{ toDatetime: '2025-13-30T00:00:00' }, /^--to-datetime 2025-13-30T00:00:00: expected a time/],
  [{ byDuration: 'P1Y' }, /^--by-duration P1Y: expected an ISO 8601 duration/],
  [{ byDuration: 'PT' }, /^--by-duration PT: expected/],
  [{ fromFile: '/no-such-file' }, /^--from-file \/no-such-file: ENOENT/],
  [
    { fromFile: file('in,1,2\nin;1;2\n') },
    /^--from-file .*, line 2: in;1;2: expected topic,partition,offset$/,
  ],
  [{ fromFile: file('in,1,2\nin,1,3\n') }, /, line 2: in,1,3: the partition is named twice$/],
]
for (const [options, message] of refused) {
  test(`${JSON.stringify(options).slice(0, 60)} is refused in one line`, () => {
    assert.throws(() => parseTarget(options, nowMs), { code: 'config-invalid', message })
  })
}
