/** Keys that are two: which rows lie together, and which of them it is. */
import { composedSerde } from './binding.ts'
import type { Serde } from './serde.ts'

/** What a prefix may have, bytes: its length is written before it. */
const PREFIX_BYTES_MAX = 65_535
const LENGTH_BYTES = 2

/** A row's key in a store whose rows are asked for by the beginnings of their keys. */
export interface PrefixKey<P, R> {
  readonly prefix: P
  readonly rest: R
}

export interface PrefixKeySerde<P, R> extends Serde<PrefixKey<P, R>> {
  readonly prefix: Serde<P>
  readonly rest: Serde<R>
}

/**
 * length(2, big-endian) prefix rest. The length, of the prefix in bytes, makes that no prefix with its length is the beginning of another: equal lengths have different prefixes behind them.
 * So the rows of a prefix are those that begin with these bytes, they lie together, and within are in the order of the rests' bytes.
 */
export function prefixKeySerde<P, R>(prefix: Serde<P>, rest: Serde<R>): PrefixKeySerde<P, R> {
  return composedSerde(
    [prefix, rest],
    (prefix, rest): PrefixKeySerde<P, R> => ({
      name: `prefix ${prefix.name}, rest ${rest.name}`,
      prefix,
      rest,
      serialize(key, writer) {
        const start = writer.position
        writer.writeBytes(NO_LENGTH)
        prefix.serialize(key.prefix, writer)
        const bytes = writer.position - start - LENGTH_BYTES
        if (bytes > PREFIX_BYTES_MAX)
          throw new RangeError(`a prefix has ${bytes} bytes; allowed are up to ${PREFIX_BYTES_MAX}`)
        writer.buffer.writeUInt16BE(bytes, start)
        rest.serialize(key.rest, writer)
      },
      deserialize(buffer, start, end) {
        const middle = start + prefixFrameBytes(buffer, start, end)
        return {
          prefix: prefix.deserialize(buffer, start + LENGTH_BYTES, middle),
          rest: rest.deserialize(buffer, middle, end),
        }
      },
    }),
    ['prefix', 'rest'],
  )
}

const NO_LENGTH = new Uint8Array(LENGTH_BYTES)

/** True for a key that has all of its prefix. */
export function beginsWithFrame(buffer: Buffer, start = 0, end = buffer.length): boolean {
  return end - start >= LENGTH_BYTES && end - start >= LENGTH_BYTES + buffer.readUInt16BE(start)
}

/** How many of a key's first bytes are the prefix, with its length. @throws RangeError for what is no such key */
export function prefixFrameBytes(buffer: Buffer, start = 0, end = buffer.length): number {
  if (!beginsWithFrame(buffer, start, end)) throw new RangeError('a key ends before its prefix does')
  return LENGTH_BYTES + buffer.readUInt16BE(start)
}

/** The prefix's own bytes, of a prefix with its length. */
export function prefixOfFrame(frame: Buffer): Buffer {
  return frame.subarray(LENGTH_BYTES)
}

/** A prefix with its length. REQUIRES no more than PREFIX_BYTES_MAX */
export function prefixFrame(bytes: Uint8Array, start = 0, end = bytes.length): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + end - start)
  frame.writeUInt16BE(end - start)
  frame.set(bytes.subarray(start, end), LENGTH_BYTES)
  return frame
}

export function isPrefixKeySerde(serde: Serde<unknown>): serde is PrefixKeySerde<unknown, unknown> {
  const { prefix, rest } = serde as Partial<PrefixKeySerde<unknown, unknown>>
  return prefix !== undefined && rest !== undefined
}
