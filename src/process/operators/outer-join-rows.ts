/**
 * What the shared store of a left or outer join keeps: records that have found none of the other stream yet, by time. Kafka Streams'
 * TimestampedKeyAndJoinSide, LeftOrRightValue and ListValueStore, bytes included; docs/state-format.md.
 */
import { composedSerde } from '../../serde/binding.ts'
import { readInt64 } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'

export interface WaitingKey<K> {
  /** ms: of the record. */
  readonly timestamp: number
  readonly isLeft: boolean
  readonly key: K
}

/** The values of the records that wait under one key, in order of arrival. All are of the key's side. */
export type WaitingValues = readonly unknown[]

const LEFT = 1
const RIGHT = 0
/** Kafka's ListSerializer: entries carry their length. */
const VARIABLE_SIZE = 1
const COUNT_END = 5

/** timestamp(8) side(1; 1 = left) key */
export function waitingKeySerde<K>(inner: Serde<K>): Serde<WaitingKey<K>> {
  return composedSerde(
    [inner],
    (key): Serde<WaitingKey<K>> => ({
      name: `waiting(${key.name})`,
      serialize(waiting, writer) {
        writer.writeInt64(waiting.timestamp)
        writer.writeUInt8(waiting.isLeft ? LEFT : RIGHT)
        key.serialize(waiting.key, writer)
      },
      deserialize: (buffer, start, end) => ({
        timestamp: readInt64(buffer, start),
        isLeft: buffer[start + 8] === LEFT,
        key: key.deserialize(buffer, start + 9, end),
      }),
    }),
  )
}

export interface WaitingList {
  readonly isLeft: boolean
  readonly values: WaitingValues
}

/** 1(1) count(4) {length(4) side(1; 1 = left) value} */
export function waitingListSerde(left: Serde<unknown>, right: Serde<unknown>): Serde<WaitingList> {
  return composedSerde([left, right], waitingListsOf, ['left', 'right'])
}

function waitingListsOf(left: Serde<unknown>, right: Serde<unknown>): Serde<WaitingList> {
  return {
    name: `waiting(${left.name}, ${right.name})`,
    serialize({ isLeft, values }, writer) {
      const serde = isLeft ? left : right
      writer.writeUInt8(VARIABLE_SIZE)
      writer.writeInt32(values.length)
      for (const value of values) {
        const at = writer.position
        writer.writeInt32(0)
        writer.writeUInt8(isLeft ? LEFT : RIGHT)
        serde.serialize(value, writer)
        writer.buffer.writeInt32BE(writer.position - at - 4, at)
      }
    },
    deserialize(buffer, start, end) {
      const values: unknown[] = []
      let isLeft = false
      let position = start + COUNT_END
      while (position < end) {
        const valueEnd = position + 4 + buffer.readInt32BE(position)
        if (valueEnd > end) throw new RangeError(`a waiting value ends at ${valueEnd}, its list at ${end}`)
        isLeft = buffer[position + 4] === LEFT
        values.push((isLeft ? left : right).deserialize(buffer, position + 5, valueEnd))
        position = valueEnd
      }
      if (position !== end)
        throw new RangeError(`a list of waiting values ends at ${position}, not at ${end}`)
      return { isLeft, values }
    },
  }
}
