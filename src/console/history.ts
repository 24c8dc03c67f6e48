/** What is drawn over time: totals since the process's start, and gauges. */
export interface HistoryPoint {
  /** Since 1970, ms. */
  readonly timeMs: number
  readonly processed: number
  readonly consumed: number
  readonly produced: number
  readonly restored: number
  readonly lag: number
  readonly residentBytes: number
}

/** The last points that somebody asked for, so that a page that is opened shows more than its own first second. */
export class History {
  readonly #points: HistoryPoint[] = []
  readonly #pointsMax: number

  constructor(pointsMax = 300) {
    this.#pointsMax = pointsMax
  }

  get points(): readonly HistoryPoint[] {
    return this.#points
  }

  add(point: HistoryPoint): void {
    this.#points.push(point)
    if (this.#points.length > this.#pointsMax) this.#points.shift()
  }
}
