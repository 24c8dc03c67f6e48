/** What a window or session store must hold: a list of rows, searched from end to end. */
import fc from 'fast-check'

import type { WindowsDefinition } from '../../src/topology/definition.ts'

const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u{1f600}'), maxLength: 3 })

/** What commands are made of. */
export const segmentedInput = {
  key,
  bound: fc.option(key, { nil: null }),
  /** Relative to a clock that goes on by ten seconds with each command: within a retention of two minutes, seldom expired or ahead, ms. */
  time: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -26, max: 1 }).map((fives) => fives * 5_000) },
    { weight: 1, arbitrary: fc.integer({ min: -250_000, max: 100_000 }) },
  ),
}

export interface ModelRow<V> {
  readonly key: string
  /** A window's start, a session's end. */
  readonly time: number
  /** A window's sequence, a session's start. */
  readonly rest: number
  readonly value: V
}

export class SegmentedModel<V> {
  rows: ModelRow<V>[] = []
  streamTime = -1
  sequence = 0
  readonly #windows: WindowsDefinition
  readonly #restBytes: number

  constructor(windows: WindowsDefinition, restBytes: number) {
    this.#windows = windows
    this.#restBytes = restBytes
  }

  copy(): SegmentedModel<V> {
    const copy = new SegmentedModel<V>(this.#windows, this.#restBytes)
    copy.rows = [...this.rows]
    copy.streamTime = this.streamTime
    copy.sequence = this.sequence
    return copy
  }

  /** null deletes. */
  put(key: string, time: number, rest: number, value: V | null): void {
    const { retentionMs, segmentIntervalMs } = this.#windows
    this.streamTime = Math.max(this.streamTime, time)
    const oldestLive = Math.floor((this.streamTime - retentionMs) / segmentIntervalMs)
    if (Math.floor(time / segmentIntervalMs) < oldestLive) return
    this.rows = this.rows.filter((row) => row.key !== key || row.time !== time || row.rest !== rest)
    if (value !== null) this.rows.push({ key, time, rest, value })
  }

  /** The rows that are seen, in the order of the store. */
  visible(where: (row: ModelRow<V>) => boolean, reverse = false): ModelRow<V>[] {
    const from = this.streamTime - this.#windows.retentionMs + 1
    const found = this.rows
      .filter((row) => row.time >= from && where(row))
      .sort((a, b) => this.#segment(a) - this.#segment(b) || Buffer.compare(this.#bytes(a), this.#bytes(b)))
    return reverse ? found.reverse() : found
  }

  #segment({ time }: ModelRow<V>): number {
    return Math.floor(time / this.#windows.segmentIntervalMs)
  }

  #bytes({ key, time, rest }: ModelRow<V>): Buffer {
    const suffix = Buffer.alloc(8 + this.#restBytes)
    suffix.writeBigInt64BE(BigInt(time))
    // Six bytes are what a number of milliseconds takes.
    const bytes = Math.min(6, this.#restBytes)
    suffix.writeUIntBE(rest, suffix.length - bytes, bytes)
    return Buffer.concat([Buffer.from(key), suffix])
  }
}

export function isKeyWithin(key: string, from: string | null, to: string | null): boolean {
  const bytes = Buffer.from(key)
  if (from !== null && Buffer.compare(bytes, Buffer.from(from)) < 0) return false
  return to === null || Buffer.compare(bytes, Buffer.from(to)) <= 0
}
