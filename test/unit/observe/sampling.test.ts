import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { NodeCounters } from '../../../src/observe/node-counters.ts'
import { Sampling } from '../../../src/observe/sampling.ts'
import { TimeHistogram } from '../../../src/observe/time-histogram.ts'

describe('Sampling', () => {
  test('of many records one in 256 at the most, however fast they come', () => {
    const sampling = new Sampling()
    let samples = 0
    // Turns of ten records within one moment.
    for (let records = 0; records < 25_600; records += 10) if (sampling.isDue(records, () => 1_000)) samples++
    assert.ok(samples > 80 && samples <= 100, String(samples))
  })

  test('of few records one in 100 ms', () => {
    const sampling = new Sampling()
    let samples = 0
    for (let records = 0; records < 200; records++)
      if (sampling.isDue(records, () => 1_000 + records * 10)) samples++
    assert.ok(samples >= 19 && samples <= 21, String(samples))
  })
})

describe('NodeCounters', () => {
  /** Stands still for so long. */
  const work = (ms: number): void => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
  const clock = () => ({ sampledBelowMs: 0, systemTimeMs: () => 10_000 })

  test("a node's time is its own: what the nodes below it take is theirs", () => {
    const [top, left, right] = [false, true, true].map((isLast) => new NodeCounters(isLast))
    const at = clock()
    const started = performance.now()
    top!.time(at, 4_000, () => {
      left!.time(at, 4_000, () => work(20))
      work(2)
      right!.time(at, 9_000, () => work(20))
    })
    const wholeSeconds = (performance.now() - started) / 1000
    const sum = top!.seconds.sum + left!.seconds.sum + right!.seconds.sum
    assert.ok(sum <= wholeSeconds && sum > 0.04, `${sum} of ${wholeSeconds}`)
    assert.ok(left!.seconds.sum >= 0.02 && right!.seconds.sum >= 0.02)
    // Not the 40 ms below it, whatever the machine is busy with.
    assert.ok(top!.seconds.sum <= wholeSeconds - 0.04, `${top!.seconds.sum} of ${wholeSeconds}`)
    assert.deepEqual([top!.endToEnd.count, left!.endToEnd.sum, right!.endToEnd.sum], [0, 6, 1])
  })

  test('one that throws is timed too, and its parent does not count it', () => {
    const [top, below] = [new NodeCounters(false), new NodeCounters(true)]
    const at = clock()
    const started = performance.now()
    top.time(at, 0, () => {
      assert.throws(() =>
        below.time(at, 0, () => {
          work(20)
          throw new Error('no')
        }),
      )
    })
    assert.equal(below.seconds.count, 1)
    assert.equal(below.endToEnd.count, 0, 'it has no end')
    assert.ok(top.seconds.sum <= (performance.now() - started) / 1000 - 0.02)
    assert.ok(at.sampledBelowMs >= 20)
  })
})

test('TimeHistogram: a value is in the first bucket whose bound it does not exceed', () => {
  const histogram = new TimeHistogram([0.1, 1])
  for (const seconds of [0, 0.1, 0.100001, 1, 1.5, 100]) histogram.observe(seconds)
  assert.deepEqual(histogram.counts, [2, 2, 2])
  assert.equal(histogram.count, 6)
  assert.ok(Math.abs(histogram.sum - 102.700001) < 1e-9)
})
