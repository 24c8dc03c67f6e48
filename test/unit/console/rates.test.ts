import assert from 'node:assert/strict'
import { test } from 'node:test'

interface Histogram {
  readonly count: number
  readonly sum: number
  readonly bounds: readonly (number | null)[]
  readonly counts: readonly number[]
}

interface PageRates {
  add(timeMs: number, totals: ReadonlyMap<string, number>, histograms: ReadonlyMap<string, Histogram>): void
  perSecond(key: string): number | null
  sumPerSecond(keys: readonly string[]): number | null
  quantile(keys: string | readonly string[], part: number): number | null
  mean(key: string): number | null
}

interface RatesModule {
  readonly Rates: new () => PageRates
  ratesOver<P extends { timeMs: number }>(
    points: readonly P[],
    totalOf: (point: P) => number,
  ): { timeMs: number; value: number }[]
}

const file = new URL('../../../src/console/page/rates.js', import.meta.url)
const { Rates, ratesOver } = (await import(file.href)) as RatesModule

const none: ReadonlyMap<string, Histogram> = new Map()

test('a rate is that of the last five seconds', () => {
  const rates = new Rates()
  assert.equal(rates.perSecond('a'), null)
  rates.add(0, new Map([['a', 0]]), none)
  assert.equal(rates.perSecond('a'), null)
  for (let second = 1; second <= 20; second++)
    rates.add(second * 1_000, new Map([['a', second < 10 ? 0 : (second - 10) * 100]]), none)
  assert.equal(rates.perSecond('a'), 100)
  rates.add(
    21_000,
    new Map([
      ['a', 1_000],
      ['b', 5],
    ]),
    none,
  )
  assert.equal(rates.perSecond('a'), 80)
  // It is seen for the first time.
  assert.equal(rates.perSecond('b'), null)
  assert.equal(rates.sumPerSecond(['a', 'b']), 80)
  assert.equal(rates.sumPerSecond(['b', 'c']), null)
})

test('a total that began anew is no negative rate', () => {
  const rates = new Rates()
  rates.add(0, new Map([['a', 500]]), none)
  rates.add(1_000, new Map([['a', 10]]), none)
  assert.equal(rates.perSecond('a'), 0)
})

test('quantiles are of what was observed in the last thirty seconds, and as exact as the bounds are', () => {
  const bounds = [1, 2, 4, null]
  const histogram = (sum: number, ...counts: number[]): ReadonlyMap<string, Histogram> =>
    new Map([['a', { count: counts.at(-1)!, sum, bounds, counts }]])
  const rates = new Rates()
  rates.add(0, new Map(), histogram(5_000, 0, 0, 0, 1_000))
  assert.equal(rates.mean('a'), 5)
  for (let second = 10; second <= 30; second += 10)
    rates.add(second * 1_000, new Map(), histogram(5_000, 0, 0, 0, 1_000))
  assert.equal(rates.quantile('a', 0.5), null)
  rates.add(31_000, new Map(), histogram(5_150, 0, 100, 100, 1_100))
  assert.equal(rates.mean('a'), 1.5)
  assert.equal(rates.quantile('a', 0.5), 1.5)
  assert.equal(rates.quantile(['a', 'unknown'], 0.99), 1.99)
  rates.add(32_000, new Map(), histogram(6_000, 0, 100, 100, 1_300))
  // Beyond the last bound.
  assert.equal(rates.quantile('a', 0.99), 4)
})

test('the last minutes as rates', () => {
  const points = [
    { timeMs: 0, total: 0 },
    { timeMs: 2_000, total: 10 },
    { timeMs: 3_000, total: 4 },
  ]
  assert.deepEqual(
    ratesOver(points, ({ total }) => total),
    [
      { timeMs: 2_000, value: 5 },
      { timeMs: 3_000, value: 0 },
    ],
  )
})
