import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trendOf } from '../../../bench/harness/trend.ts'

/** Numbers that look random and are the same each time. */
function noise(index: number): number {
  return Math.sin(index * 12.9898) * 43_758.5453 - Math.floor(Math.sin(index * 12.9898) * 43_758.5453) - 0.5
}

const series = (valueAt: (minute: number, index: number) => number) =>
  Array.from({ length: 300 }, (_, index) => ({ minute: index / 10, value: valueAt(index / 10, index) }))

test('a line is found with its slope, and noise alone is flat', () => {
  const rising = trendOf(series((minute, index) => 1_000 + 5 * minute + 20 * noise(index)))
  assert.ok(Math.abs(rising.slopePerMinute - 5) <= 2 * rising.slopeUncertainty, JSON.stringify(rising))
  assert.equal(rising.isFlat, false)
  const noisy = trendOf(series((_, index) => 1_000 + 200 * noise(index)))
  assert.ok(Math.abs(noisy.slopePerMinute) <= 2 * noisy.slopeUncertainty, JSON.stringify(noisy))
  assert.equal(noisy.isFlat, true)
})

test('a constant, a falling line and a sure rise of next to nothing are flat', () => {
  assert.deepEqual(trendOf(series(() => 7)), {
    median: 7,
    max: 7,
    slopePerMinute: 0,
    slopeUncertainty: 0,
    isFlat: true,
  })
  assert.equal(trendOf(series((minute) => 1_000 - minute)).isFlat, true)
  assert.equal(trendOf(series((minute) => 1_000 + minute / 10)).isFlat, true)
  assert.equal(trendOf(series((minute) => 1_000 + minute)).isFlat, false)
})

test('too few samples are an error', () => {
  assert.throws(() => trendOf(series(() => 1).slice(0, 9)), /10 samples, not 9/)
})
