import { composedSerde } from '../../serde/binding.ts'
import { ByteWriter } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Change } from './change.ts'

/** What the last byte says the bytes before it are. */
const OLD = 0
const NEW = 1
const BOTH = 2
/** Added by Kafka Streams in between: the same three, with a byte that tells whether the change is the key's latest. */
const MARKED = 3

/**
 * Changes of rows on their way to another partition: `old 0x00`, `new 0x01`, or `varint(newLength) new old 0x02`. Kafka Streams' ChangedSerializer
 * and ChangedDeserializer.
 *
 * @param inner of the rows' values
 */
export function changeSerde<V>(inner: Serde<V>): Serde<Change<V>> {
  return composedSerde([inner], changesOf)
}

function changesOf<V>(inner: Serde<V>): Serde<Change<V>> {
  const scratch = new ByteWriter(256)
  const read = (buffer: Buffer, start: number, end: number): V => inner.deserialize(buffer, start, end)
  return {
    name: `change of ${inner.name}`,
    serialize({ newValue, oldValue }, writer) {
      if (newValue !== null && oldValue !== null) {
        scratch.reset()
        inner.serialize(newValue, scratch)
        writeVarint(scratch.position, writer)
        writer.writeBytes(scratch.buffer, 0, scratch.position)
        inner.serialize(oldValue, writer)
        writer.writeUInt8(BOTH)
      } else if (newValue !== null) {
        inner.serialize(newValue, writer)
        writer.writeUInt8(NEW)
      } else if (oldValue !== null) {
        inner.serialize(oldValue, writer)
        writer.writeUInt8(OLD)
      } else {
        throw new TypeError('a change has a new or an old value; both are null')
      }
    },
    deserialize(buffer, start, end) {
      const { kind, from, middle, last } = partsOf(buffer, start, end)
      if (kind === OLD) return { newValue: null, oldValue: read(buffer, from, last) }
      if (kind === NEW) return { newValue: read(buffer, from, last), oldValue: null }
      return { newValue: read(buffer, from, middle), oldValue: read(buffer, middle, last) }
    },
    ...(inner.awaits !== undefined && {
      awaits: (buffer: Buffer, start: number, end: number) => changeAwaits(inner, buffer, start, end),
    }),
  }
}

/** Where the values are: from `from` to `last`; of both the new one ends and the old one begins at `middle`. */
function partsOf(
  buffer: Buffer,
  start: number,
  end: number,
): { kind: number; from: number; middle: number; last: number } {
  const flag = end > start ? buffer[end - 1]! : -1
  const kind = flag >= MARKED ? flag - MARKED : flag
  const last = end - (flag >= MARKED ? 2 : 1)
  if (last < start || kind < OLD || kind > BOTH)
    throw new RangeError(`a change of a row ends with a byte from 0 to 5, not ${flag}`)
  if (kind !== BOTH) return { kind, from: start, middle: last, last }
  const [length, from] = readVarint(buffer, start, last)
  if (length < 0 || from + length > last)
    throw new RangeError(`a change of a row has ${last - from} bytes of values, not ${length}`)
  return { kind, from, middle: from + length, last }
}

/** What the values await, one after the other. */
function changeAwaits(
  inner: Serde<unknown>,
  buffer: Buffer,
  start: number,
  end: number,
): Promise<void> | null {
  try {
    const { from, middle, last } = partsOf(buffer, start, end)
    const first = inner.awaits!(buffer, from, middle)
    const second = middle < last ? inner.awaits!(buffer, middle, last) : null
    return first === null || second === null ? (first ?? second) : first.then(() => second)
  } catch {
    // It is met again when its turn comes.
    return null
  }
}

/** Zigzag, seven bits a byte, the lowest first. Kafka's ByteUtils.writeVarint. REQUIRES a length. */
function writeVarint(length: number, writer: ByteWriter): void {
  let rest = length * 2
  while (rest > 0x7f) {
    writer.writeUInt8((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  writer.writeUInt8(rest)
}

/** @returns the number, and where what follows it begins */
function readVarint(buffer: Buffer, start: number, end: number): [number, number] {
  let value = 0
  for (let position = start, scale = 1; position < end && position < start + 5; position++, scale *= 0x80) {
    const byte = buffer[position]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return [value % 2 === 0 ? value / 2 : -(value + 1) / 2, position + 1]
  }
  throw new RangeError('the length of a new value ends nowhere')
}
