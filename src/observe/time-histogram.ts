/**
 * Times by how long they took, in plain fields: observing one is a few comparisons and two additions, without allocation. Folded into metrics when
 * somebody asks.
 */
export class TimeHistogram {
  /** Upper bounds, ascending, seconds. */
  readonly bounds: readonly number[]
  /** One for each bound, and one for what is above all of them. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  get count(): number {
    let count = 0
    for (const one of this.counts) count += one
    return count
  }

  observe(seconds: number): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += seconds
  }
}
