import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CommitPace } from '../../../src/runtime/commit-pace.ts'

const MiB = 2 ** 20

/** A disk that writes so many bytes in a millisecond: what is gathered before a commit, after many of them. */
function settled(pace: CommitPace, bytesPerMs: number): number {
  for (let commit = 0; commit < 50; commit++) pace.committed(pace.bytes, pace.bytes / bytesPerMs)
  return pace.bytes
}

test('a thread gathers what it commits in a quarter of a second, and follows the disk', () => {
  const pace = new CommitPace(200 * MiB)
  assert.equal(pace.bytes, 8 * MiB)
  const near = (bytes: number, wanted: number) =>
    assert.ok(Math.abs(bytes - wanted) < 1, `${bytes}, not ${wanted}`)
  near(settled(pace, 100_000), 25_000_000)
  near(settled(pace, 200_000), 50_000_000)
  near(settled(pace, 50_000), 12_500_000)
})

test('never less than 8 MiB, never more than the memory for it', () => {
  const pace = new CommitPace(30 * MiB)
  assert.equal(settled(pace, 1_000), 8 * MiB)
  assert.equal(settled(pace, 1_000_000), 30 * MiB)
  assert.equal(new CommitPace(MiB).bytes, MiB)
})

test('a small commit changes nothing, and one that took no time at most doubles it', () => {
  const pace = new CommitPace(200 * MiB)
  pace.committed(MiB, 10_000)
  assert.equal(pace.bytes, 8 * MiB)
  pace.committed(8 * MiB, 0)
  assert.equal(pace.bytes, 16 * MiB)
})
