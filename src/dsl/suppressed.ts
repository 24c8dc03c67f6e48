import type { Windowed } from '../serde/windowed.ts'
import { kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { checkMs } from './check-ms.ts'

/** What is done when a buffer has reached its bound. */
export type WhenFull = 'emit-early' | 'shut-down'

/**
 * How much a suppression may hold back. Kafka Streams' Suppressed.BufferConfig. A buffer is in memory: it has a bound unless it is said that it has
 * none. Its bytes are those of Kafka Streams: keys, old and new values, headers and topic, serialised, and 28 for each change.
 */
export class BufferConfig<Full extends WhenFull = WhenFull> {
  /** Infinity: no bound. */
  readonly recordsMax: number
  readonly bytesMax: number
  readonly whenFull: Full

  private constructor(recordsMax: number, bytesMax: number, whenFull: Full) {
    this.recordsMax = recordsMax
    this.bytesMax = bytesMax
    this.whenFull = whenFull
  }

  /** As much as comes: memory is the bound. */
  static unbounded(): BufferConfig<'shut-down'> {
    return new BufferConfig(Infinity, Infinity, 'shut-down')
  }

  /** Up to so many keys; when there are more, the oldest changes are forwarded early. @throws TopologyError unless a whole number from 0 */
  static maxRecords(records: number): BufferConfig<'emit-early'> {
    return new BufferConfig(checked('maxRecords', records), Infinity, 'emit-early')
  }

  /** Up to so many bytes; when there are more, the oldest changes are forwarded early. @throws TopologyError unless a whole number from 0 */
  static maxBytes(bytes: number): BufferConfig<'emit-early'> {
    return new BufferConfig(Infinity, checked('maxBytes', bytes), 'emit-early')
  }

  withMaxRecords(records: number): BufferConfig<Full> {
    return new BufferConfig(checked('withMaxRecords', records), this.bytesMax, this.whenFull)
  }

  withMaxBytes(bytes: number): BufferConfig<Full> {
    return new BufferConfig(this.recordsMax, checked('withMaxBytes', bytes), this.whenFull)
  }

  withNoBound(): BufferConfig<'shut-down'> {
    return BufferConfig.unbounded()
  }

  /** Nothing is forwarded early: when the bound is reached, the record fails and the application stops. */
  shutDownWhenFull(): BufferConfig<'shut-down'> {
    return new BufferConfig(this.recordsMax, this.bytesMax, 'shut-down')
  }

  /** When the bound is reached, the oldest changes are forwarded before their time. */
  emitEarlyWhenFull(): BufferConfig<'emit-early'> {
    return new BufferConfig(this.recordsMax, this.bytesMax, 'emit-early')
  }
}

function checked(method: string, most: number): number {
  if (Number.isSafeInteger(most) && most >= 0) return most
  throw new TopologyError(
    `BufferConfig.${method}: the bound is ${String(most)}; allowed is a whole number from 0`,
  )
}

/** What a table forwards when. Kafka Streams' Suppressed. `K` are the keys that it is for. */
export class Suppressed<in K> {
  declare protected readonly keys: (key: K) => void
  /** How long a change waits, ms; null: until its window has closed. */
  readonly waitMs: number | null
  readonly buffer: BufferConfig

  private constructor(waitMs: number | null, buffer: BufferConfig) {
    this.waitMs = waitMs
    this.buffer = buffer
  }

  /**
   * Of each window one result, the last one, when the window and its grace are over. For the tables of windowed aggregates, and those made from
   * them. Deletions are not forwarded.
   *
   * @param buffer must not emit early
   * @throws TopologyError when it does
   */
  static untilWindowCloses(buffer: BufferConfig<'shut-down'>): Suppressed<Windowed<unknown>> {
    checkBuffer('untilWindowCloses', buffer)
    if (buffer.whenFull !== 'shut-down')
      throw new TopologyError(
        'Suppressed.untilWindowCloses: the buffer emits early; a window has one result only with shutDownWhenFull() or BufferConfig.unbounded()',
      )
    return new Suppressed(null, buffer)
  }

  /**
   * Of each key the last change, `waitMs` after the first one since the key was forwarded. Time is that of the records.
   *
   * @throws TopologyError unless `waitMs` is a whole number of milliseconds from 0
   */
  static untilTimeLimit(waitMs: number, buffer: BufferConfig): Suppressed<unknown> {
    checkMs('Suppressed.untilTimeLimit', 'waitMs', waitMs, 0)
    checkBuffer('untilTimeLimit', buffer)
    return new Suppressed(waitMs, buffer)
  }
}

function checkBuffer(method: string, buffer: unknown): void {
  if (!(buffer instanceof BufferConfig))
    throw new TopologyError(
      `Suppressed.${method}: a buffer made by BufferConfig is expected, not ${kindOf(buffer)}`,
    )
}
