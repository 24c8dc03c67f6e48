import type { RecordBatch } from '../consume/record-batch.ts'
import type { Serde } from '../serde/serde.ts'
import { Latencies } from './demo-latency.ts'

const latestMax = 10

/** As in the example's records.ts. */
export interface SegmentChange {
  readonly user: string
  readonly segment: string
  readonly change: 'entered' | 'left'
}

/** What has arrived in the example's output topic. */
export class SegmentChanges {
  count = 0
  readonly latencies = new Latencies()
  readonly #latest: string[] = []
  readonly #serde: Serde<SegmentChange>

  constructor(serde: Serde<SegmentChange>) {
    this.#serde = serde
  }

  /** The latest, newest first. */
  get latest(): readonly string[] {
    return this.#latest.toReversed()
  }

  /** @param nowMs the wall clock, ms since 1970 */
  add(batch: RecordBatch, nowMs: number): void {
    this.count += batch.count
    for (let index = 0; index < batch.count; index++) {
      const start = batch.valueStart[index]!
      const end = start + batch.valueLength[index]!
      const { user, segment, change } = this.#serde.deserialize(batch.arena, start, end)
      // Who leaves does so by the passing of time, not by an event whose way could be measured.
      if (change === 'entered') this.latencies.add(nowMs - batch.timestamp[index]!)
      if (index >= batch.count - latestMax) this.#latest.push(`${user} ${change} ${segment}`)
    }
    this.#latest.splice(0, this.#latest.length - latestMax)
  }
}
