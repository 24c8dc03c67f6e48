import { recordSeconds } from './buckets.ts'
import { TimeHistogram } from './time-histogram.ts'

/** One of so many calls is timed. A power of two. */
const CALLS_PER_SAMPLE = 1_024

/** What one operation of a store was asked for. */
export class OperationCounter {
  calls = 0
  /** Of the sampled calls. */
  readonly seconds = new TimeHistogram(recordSeconds)

  /** Counts a call. @returns true when this one is to be timed: the first, and one in 1,024 */
  begins(): boolean {
    return (this.calls++ & (CALLS_PER_SAMPLE - 1)) === 0
  }

  /** Runs a call that is timed. A scan's time is that until its first rows are there. */
  time<T>(run: () => T): T {
    const started = performance.now()
    try {
      return run()
    } finally {
      this.seconds.observe((performance.now() - started) / 1000)
    }
  }
}

/** What a store was asked for, by Kafka Streams' names; of all tasks of a stream thread. */
export class StoreCounters {
  readonly get = new OperationCounter()
  readonly put = new OperationCounter()
  readonly delete = new OperationCounter()
  /** Of window and session stores: of one row, or of those of a key or of a range of keys. */
  readonly fetch = new OperationCounter()
  readonly all = new OperationCounter()
  readonly range = new OperationCounter()
  readonly prefixScan = new OperationCounter()
  /** Once a commit; each is timed. */
  readonly flush = new OperationCounter()

  /** By the metrics' label. */
  operations(): readonly (readonly [operation: string, counter: OperationCounter])[] {
    return [
      ['get', this.get],
      ['put', this.put],
      ['delete', this.delete],
      ['fetch', this.fetch],
      ['all', this.all],
      ['range', this.range],
      ['prefix-scan', this.prefixScan],
      ['flush', this.flush],
    ]
  }
}
