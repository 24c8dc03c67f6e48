/**
 * What changes in a second, from totals that only grow. A total that is smaller than before began anew, with another thread: it is as if nothing
 * had happened in between.
 */

/** @typedef {{ count: number, sum: number, bounds: (number | null)[], counts: number[] }} Histogram */

/** Rates over the last seconds: long enough to be steady, short enough to show what happens now. */
const RATE_MS = 5_000
/** Times are sparser than records. */
const TIMES_MS = 30_000

export class Rates {
  /** @type {{ timeMs: number, totals: Map<string, number> }[]} */
  #points = []
  /** @type {{ timeMs: number, histograms: Map<string, Histogram> }[]} */
  #times = []

  /**
   * @param {number} timeMs
   * @param {Map<string, number>} totals
   * @param {Map<string, Histogram>} histograms
   */
  add(timeMs, totals, histograms) {
    this.#points.push({ timeMs, totals })
    this.#times.push({ timeMs, histograms })
    // One that is older stays: the window is as long as it says.
    while (this.#points.length > 2 && this.#points[1].timeMs <= timeMs - RATE_MS) this.#points.shift()
    while (this.#times.length > 2 && this.#times[1].timeMs <= timeMs - TIMES_MS) this.#times.shift()
  }

  clear() {
    this.#points = []
    this.#times = []
  }

  get isKnown() {
    return this.#points.length > 0
  }

  /** @param {string} key @returns {number | null} null: not known yet */
  perSecond(key) {
    const last = this.#points.at(-1)
    const first = this.#points.find(({ totals }) => totals.has(key))
    const total = last?.totals.get(key)
    if (last === undefined || first === undefined || total === undefined || first === last) return null
    return (Math.max(0, total - first.totals.get(key)) * 1000) / (last.timeMs - first.timeMs)
  }

  /** Of several that belong together. @param {string[]} keys @returns {number | null} */
  sumPerSecond(keys) {
    const known = keys.map((key) => this.perSecond(key)).filter((perSecond) => perSecond !== null)
    return known.length === 0 ? null : known.reduce((sum, perSecond) => sum + perSecond, 0)
  }

  /**
   * Below which a part of the last times lay, seconds: as exact as the histogram's bounds are.
   *
   * @param {string | string[]} keys
   * @param {number} part from 0 to 1
   * @returns {number | null} null: there were none
   */
  quantile(keys, part) {
    const recent = [keys].flat().flatMap((key) => this.#recent(key) ?? [])
    if (recent.length === 0) return null
    const { bounds } = recent[0]
    const counts = bounds.map((_, index) => recent.reduce((sum, one) => sum + (one.counts[index] ?? 0), 0))
    const wanted = counts.at(-1) * part
    const index = counts.findIndex((count) => count >= wanted)
    const below = index === 0 ? 0 : counts[index - 1]
    const low = index === 0 ? 0 : bounds[index - 1]
    // Beyond the last bound nothing more is known.
    const high = bounds[index] ?? low
    return low + ((high - low) * (wanted - below)) / Math.max(1, counts[index] - below)
  }

  /** @param {string} key @returns {number | null} seconds */
  mean(key) {
    const recent = this.#recent(key)
    return recent === null ? null : recent.sum / recent.count
  }

  /** @param {string} key @returns {Histogram | null} */
  #recent(key) {
    const last = this.#times.at(-1)?.histograms.get(key)
    if (last === undefined) return null
    const first = this.#times[0].histograms.get(key)
    const isOlder = first !== undefined && first !== last && first.count <= last.count
    const recent = !isOlder
      ? last
      : {
          count: last.count - first.count,
          sum: last.sum - first.sum,
          bounds: last.bounds,
          counts: last.counts.map((count, index) => count - first.counts[index]),
        }
    return recent.count === 0 ? null : recent
  }
}

/**
 * The last minutes' rates of a total.
 *
 * @template {{ timeMs: number }} Point
 * @param {Point[]} points
 * @param {(point: Point) => number} totalOf
 * @returns {{ timeMs: number, value: number }[]}
 */
export function ratesOver(points, totalOf) {
  const rates = []
  for (let index = 1; index < points.length; index++) {
    const [before, after] = [points[index - 1], points[index]]
    const value = (Math.max(0, totalOf(after) - totalOf(before)) * 1000) / (after.timeMs - before.timeMs)
    rates.push({ timeMs: after.timeMs, value })
  }
  return rates
}
