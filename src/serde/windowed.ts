/** Keys of windowed aggregates, as they stand in output topics. */
import { composedSerde } from './binding.ts'
import { type ByteWriter, readInt64 } from './byte-writer.ts'
import type { Serde } from './serde.ts'

const TIME_BYTES = 8

/** A window of time, ms since 1970. Of a time window `end` lies outside (Kafka Streams' TimeWindow), of a session within (SessionWindow). */
export interface Window {
  readonly start: number
  readonly end: number
}

/** A key and its window. Kafka Streams' Windowed. */
export interface Windowed<K> {
  readonly key: K
  readonly window: Window
}

/** A serde of windowed keys. Records of the same `key` go to the same partition, whatever their windows. */
export interface WindowedSerde<K> extends Serde<Windowed<K>> {
  /** Of the keys alone. */
  readonly windowedKey: Serde<K>
}

/** An unlimited window ends with what a number can hold. */
export function timeWindowEnd(start: number, sizeMs: number): number {
  return Math.min(start + sizeMs, Number.MAX_SAFE_INTEGER)
}

/**
 * key windowStart(8). Kafka Streams' WindowedSerdes.TimeWindowedSerde.
 *
 * @param key of the keys alone
 * @param sizeMs the windows' length, which the bytes do not tell: for sliding windows the time difference
 * @throws TypeError, RangeError for anything else
 */
export function timeWindowedSerde<K>(key: Serde<K>, sizeMs: number): WindowedSerde<K> {
  checkInner('serdes.timeWindowed', key)
  if (!Number.isSafeInteger(sizeMs) || sizeMs < 0) {
    throw new RangeError(
      `serdes.timeWindowed: sizeMs is ${String(sizeMs)}; allowed is a whole number of milliseconds from 0`,
    )
  }
  return composedSerde([key], (key) => ({
    name: `time-windowed ${key.name}`,
    windowedKey: key,
    ...awaitsKey(key, TIME_BYTES),
    deserialize(buffer, start, end) {
      const keyEnd = endOfKey(start, end, TIME_BYTES)
      const windowStart = readTime(buffer, keyEnd)
      return {
        key: key.deserialize(buffer, start, keyEnd),
        window: { start: windowStart, end: timeWindowEnd(windowStart, sizeMs) },
      }
    },
    serialize(windowed, writer) {
      writeInner(key, windowed, writer)
      writer.writeInt64(windowed.window.start)
    },
  }))
}

/**
 * key end(8) start(8). Kafka Streams' WindowedSerdes.SessionWindowedSerde.
 *
 * @param key of the keys alone
 * @throws TypeError when it is no serde
 */
export function sessionWindowedSerde<K>(key: Serde<K>): WindowedSerde<K> {
  checkInner('serdes.sessionWindowed', key)
  return composedSerde([key], (key) => ({
    name: `session-windowed ${key.name}`,
    windowedKey: key,
    ...awaitsKey(key, 2 * TIME_BYTES),
    deserialize(buffer, start, end) {
      const keyEnd = endOfKey(start, end, 2 * TIME_BYTES)
      return {
        key: key.deserialize(buffer, start, keyEnd),
        window: { start: readTime(buffer, keyEnd + TIME_BYTES), end: readTime(buffer, keyEnd) },
      }
    },
    serialize(windowed, writer) {
      writeInner(key, windowed, writer)
      writer.writeInt64(windowed.window.end)
      writer.writeInt64(windowed.window.start)
    },
  }))
}

export function isWindowedSerde(serde: Serde<unknown>): serde is WindowedSerde<unknown> {
  return (serde as Partial<WindowedSerde<unknown>>).windowedKey !== undefined
}

/** @throws RangeError for a time that a number does not hold: it would be written back as another one */
function readTime(buffer: Buffer, start: number): number {
  const time = readInt64(buffer, start)
  if (!Number.isSafeInteger(time)) throw new RangeError(`${buffer.readBigInt64BE(start)} is no time in ms`)
  return time
}

function checkInner(where: string, key: unknown): void {
  const { serialize, deserialize } = (key ?? {}) as Partial<Serde<unknown>>
  if (typeof serialize !== 'function' || typeof deserialize !== 'function')
    throw new TypeError(
      `${where}: key must be a serde, not ${key === null || key === undefined ? key : `a ${typeof key}`}`,
    )
}

/** What the key awaits. */
function awaitsKey(key: Serde<unknown>, suffixBytes: number): Pick<Serde<unknown>, 'awaits'> {
  if (key.awaits === undefined) return {}
  return { awaits: (buffer, start, end) => key.awaits!(buffer, start, end - suffixBytes) }
}

function endOfKey(start: number, end: number, suffixBytes: number): number {
  if (end - start < suffixBytes)
    throw new RangeError(`a windowed key has ${suffixBytes} bytes or more, not ${end - start}`)
  return end - suffixBytes
}

function writeInner<K>(key: Serde<K>, windowed: Windowed<K>, writer: ByteWriter): void {
  if (typeof windowed?.window?.start !== 'number' || typeof windowed.window.end !== 'number')
    throw new TypeError('a windowed key is { key, window: { start, end } }')
  key.serialize(windowed.key, writer)
}
