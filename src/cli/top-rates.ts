import type { Scrape } from './top-scrape.ts'

/** Durations of what happened between two looks. */
export interface Durations {
  readonly perSecond: number
  readonly meanSeconds: number
  /** The upper bound of the bucket that 99 of 100 lie in; null when it is the last. */
  readonly p99Seconds: number | null
}

type Labels = Readonly<Record<string, string>>

/** What changed from one look to the next. A counter that fell was begun anew: what it has then was counted since. */
export class Rates {
  readonly seconds: number
  readonly now: Scrape
  readonly #before: Scrape

  constructor(before: Scrape, now: Scrape) {
    this.seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000)
    this.now = now
    this.#before = before
  }

  /** How much a counter grew; null when there is none. */
  growth(name: string, labels: Labels = {}): number | null {
    const now = this.now.sum(name, labels)
    if (now === null) return null
    const before = this.#before.sum(name, labels) ?? 0
    return now < before ? now : now - before
  }

  perSecond(name: string, labels: Labels = {}): number | null {
    const growth = this.growth(name, labels)
    return growth === null ? null : growth / this.seconds
  }

  /** Of a counter of hits and one of misses; null when there were neither. */
  ratio(hits: string, misses: string, labels: Labels = {}): number | null {
    const hit = this.growth(hits, labels) ?? 0
    const all = hit + (this.growth(misses, labels) ?? 0)
    return all === 0 ? null : hit / all
  }

  /** Of a histogram; null when nothing was observed. */
  durations(name: string, labels: Labels = {}): Durations | null {
    const count = this.growth(`${name}_count`, labels) ?? 0
    if (count === 0) return null
    return {
      perSecond: count / this.seconds,
      meanSeconds: (this.growth(`${name}_sum`, labels) ?? 0) / count,
      p99Seconds: this.#quantile(name, labels, 0.99 * count),
    }
  }

  #quantile(name: string, labels: Labels, rank: number): number | null {
    const bounds = this.now.values(`${name}_bucket`, 'le').map((le) => ({ le, bound: Number(le) }))
    const finite = bounds.filter(({ bound }) => Number.isFinite(bound)).sort((a, b) => a.bound - b.bound)
    const found = finite.find(({ le }) => (this.growth(`${name}_bucket`, { ...labels, le }) ?? 0) >= rank)
    return found?.bound ?? null
  }
}
