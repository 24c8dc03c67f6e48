import assert from 'node:assert/strict'
import { test } from 'node:test'
import { computeRatios, median, type RunResult } from '../../../bench/harness/results.ts'

function run(system: string, round: number, recordsPerCpuSecond: number, variant = 'uniform'): RunResult {
  return {
    variant,
    system,
    round,
    recordsPerSecond: recordsPerCpuSecond * 2,
    recordsPerCpuSecond,
    brokerCpuSeconds: 1,
    peakRssBytes: 1_000 / recordsPerCpuSecond,
    diskBytesWritten: 1,
    outputsPerInput: 1,
    p50Ms: null,
    p99Ms: null,
    p999Ms: null,
    firstRecordMs: null,
  }
}

const familyOf = (system: string) => system.split(':')[0] ?? system

test('the median', () => {
  assert.equal(median([3]), 3)
  assert.equal(median([10, 9, 1]), 9)
  assert.equal(median([10, 2, 4, 1]), 3)
  assert.throws(() => median([]), /nothing/)
})

test("ratios are medians of rounds, against the peer's better set-up", () => {
  const runs = [
    run('ks:off', 1, 100),
    run('ks:on', 1, 10),
    run('weir', 1, 200),
    run('ks:off', 2, 50),
    run('ks:on', 2, 900),
    run('weir', 2, 200),
    run('ks:off', 3, 100),
    run('ks:on', 3, 20),
    run('weir', 3, 500),
  ]
  // Medians: off 100, on 20. Rounds against off: 2, 4, 5.
  const [ratio, ...others] = computeRatios(runs, familyOf)
  assert.equal(others.length, 0)
  assert.deepEqual(ratio, {
    variant: 'uniform',
    system: 'weir',
    peer: 'ks',
    peerSystem: 'ks:off',
    recordsPerSecond: 4,
    recordsPerCpuSecond: 4,
    peakRssBytes: 0.25,
    p99Ms: null,
  })
})

test('each variant and each peer has its own ratio, and none without both sides', () => {
  const runs = [
    run('ks:off', 1, 100, 'a'),
    run('other', 1, 50, 'a'),
    run('weir', 1, 100, 'a'),
    run('ks:off', 1, 100, 'b'),
    run('weir', 2, 100, 'c'),
    run('ks:off', 1, 100, 'c'),
  ]
  const ratios = computeRatios(runs, familyOf).map(({ variant, peer, recordsPerCpuSecond }) => [
    variant,
    peer,
    recordsPerCpuSecond,
  ])
  assert.deepEqual(ratios, [
    ['a', 'ks', 1],
    ['a', 'other', 2],
  ])
})

test("each of our set-ups is compared with the peer's better one", () => {
  const runs = [run('ks:off', 1, 50), run('ks:on', 1, 100), run('weir', 1, 200), run('weir-caching', 1, 300)]
  const ratios = computeRatios(runs, familyOf, ['weir', 'weir-caching'])
  assert.deepEqual(
    ratios.map(({ system, peerSystem, recordsPerCpuSecond }) => [system, peerSystem, recordsPerCpuSecond]),
    [
      ['weir', 'ks:on', 2],
      ['weir-caching', 'ks:on', 3],
    ],
  )
})
