/**
 * What the two sides of a foreign-key join send each other, and what is kept of it. Kafka Streams' SubscriptionWrapper, SubscriptionResponseWrapper and
 * CombinedKey, bytes included; docs/state-format.md.
 */
import { composedSerde } from '../../serde/binding.ts'
import type { ByteWriter } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'

/** What the other side does with a subscription. The numbers are Kafka Streams'. */
export const INSTRUCTION = {
  /** Forget it, answer nothing. */
  deleteNoPropagate: 0,
  /** Forget it, answer null. */
  deleteAndPropagate: 1,
  /** Keep it, answer the row, or null when there is none. */
  propagateNullIfAbsent: 2,
  /** Keep it, answer the row when there is one. */
  propagateOnlyIfPresent: 3,
} as const

export type Instruction = (typeof INSTRUCTION)[keyof typeof INSTRUCTION]

/** Sent by a row to the one that its foreign key names. */
export interface Subscription<K> {
  /** Of the row's value, 16 bytes; null for a row that is deleted. */
  readonly hash: Buffer | null
  readonly instruction: Instruction
  readonly primaryKey: K
  /** Where the answer goes. null: sent by Kafka Streams before 3.4, which did not tell. */
  readonly primaryPartition: number | null
}

/** The answer: the foreign row, null when there is none. */
export interface SubscriptionResponse<V> {
  /** As in the subscription: an answer to an earlier value is out of date. */
  readonly hash: Buffer | null
  readonly value: V | null
  /** Not written. */
  readonly primaryPartition: number | null
}

/** A row of the subscription store. */
export interface CombinedKey<KO, K> {
  readonly foreignKey: KO
  readonly primaryKey: K
}

/** Kafka Streams' pseudo-topics of keys end so. */
const FOREIGN_KEY = 'fk'
const PRIMARY_KEY = 'pk'
const SUBSCRIPTION_VERSION = 1
const RESPONSE_VERSION = 0
const HASH_BYTES = 16
const HASH_IS_NULL = 0x80

function writeHash(
  writer: ByteWriter,
  version: number,
  hash: Buffer | null,
  instruction: number | null,
): void {
  writer.writeUInt8(hash === null ? version | HASH_IS_NULL : version)
  if (instruction !== null) writer.writeUInt8(instruction)
  if (hash !== null) writer.writeBytes(hash)
}

/** @returns a copy: the bytes may be used again */
function readHash(buffer: Buffer, versionAt: number, start: number): Buffer | null {
  if ((buffer[versionAt]! & HASH_IS_NULL) !== 0) return null
  return Buffer.from(buffer.subarray(start, start + HASH_BYTES))
}

function checkVersion(what: string, byte: number, max: number): number {
  const version = byte & ~HASH_IS_NULL
  if (version > max) throw new RangeError(`a ${what} of version ${version}; known are those up to ${max}`)
  return version
}

/** version(1; bit 7 = no hash) instruction(1) [hash(16)] primaryKey [partition(4), from version 1 on] */
export function subscriptionSerde<K>(key: Serde<K>): Serde<Subscription<K>> {
  return composedSerde(
    [key],
    (primaryKey): Serde<Subscription<K>> => ({
      name: `subscription(${primaryKey.name})`,
      serialize(subscription, writer) {
        const { hash, instruction, primaryPartition } = subscription
        writeHash(writer, primaryPartition === null ? 0 : SUBSCRIPTION_VERSION, hash, instruction)
        primaryKey.serialize(subscription.primaryKey, writer)
        if (primaryPartition !== null) writer.writeInt32(primaryPartition)
      },
      deserialize(buffer, start, end) {
        const version = checkVersion('subscription', buffer[start]!, SUBSCRIPTION_VERSION)
        const instruction = buffer[start + 1]!
        if (instruction > INSTRUCTION.propagateOnlyIfPresent)
          throw new RangeError(`a subscription with the unknown instruction ${instruction}`)
        const hash = readHash(buffer, start, start + 2)
        const keyStart = start + 2 + (hash === null ? 0 : HASH_BYTES)
        const keyEnd = version === 0 ? end : end - 4
        return {
          hash,
          instruction: instruction as Instruction,
          primaryKey: primaryKey.deserialize(buffer, keyStart, keyEnd),
          primaryPartition: version === 0 ? null : buffer.readInt32BE(keyEnd),
        }
      },
      ...(primaryKey.awaits !== undefined && {
        awaits(buffer: Buffer, start: number, end: number) {
          if (end - start < 2) return null
          const version = buffer[start]! & ~HASH_IS_NULL
          const keyStart = start + 2 + ((buffer[start]! & HASH_IS_NULL) === 0 ? HASH_BYTES : 0)
          return primaryKey.awaits!(buffer, keyStart, version === 0 ? end : end - 4)
        },
      }),
    }),
  )
}

/** version(1; bit 7 = no hash) [hash(16)] value. As in Kafka Streams, a value without bytes is null. */
export function subscriptionResponseSerde<V>(inner: Serde<V>): Serde<SubscriptionResponse<V>> {
  return composedSerde(
    [inner],
    (value): Serde<SubscriptionResponse<V>> => ({
      name: `response(${value.name})`,
      serialize(response, writer) {
        writeHash(writer, RESPONSE_VERSION, response.hash, null)
        if (response.value !== null) value.serialize(response.value, writer)
      },
      deserialize(buffer, start, end) {
        checkVersion('response', buffer[start]!, RESPONSE_VERSION)
        const hash = readHash(buffer, start, start + 1)
        const valueStart = start + 1 + (hash === null ? 0 : HASH_BYTES)
        return {
          hash,
          value: valueStart === end ? null : value.deserialize(buffer, valueStart, end),
          primaryPartition: null,
        }
      },
      ...(value.awaits !== undefined && {
        awaits(buffer: Buffer, start: number, end: number) {
          if (end === start) return null
          return value.awaits!(
            buffer,
            start + 1 + ((buffer[start]! & HASH_IS_NULL) === 0 ? HASH_BYTES : 0),
            end,
          )
        },
      }),
    }),
  )
}

/** foreignKeyLength(4) foreignKey primaryKey */
export function combinedKeySerde<KO, K>(
  foreignKey: Serde<KO>,
  primaryKey: Serde<K>,
): Serde<CombinedKey<KO, K>> {
  return composedSerde([foreignKey, primaryKey], combinedKeysOf<KO, K>, [FOREIGN_KEY, PRIMARY_KEY])
}

function combinedKeysOf<KO, K>(foreignKey: Serde<KO>, primaryKey: Serde<K>): Serde<CombinedKey<KO, K>> {
  const prefix = prefixOf(foreignKey)
  return {
    name: `combined(${foreignKey.name}, ${primaryKey.name})`,
    serialize(key, writer) {
      prefix.serialize(key.foreignKey, writer)
      primaryKey.serialize(key.primaryKey, writer)
    },
    deserialize(buffer, start, end) {
      const foreignEnd = start + 4 + buffer.readInt32BE(start)
      return {
        foreignKey: foreignKey.deserialize(buffer, start + 4, foreignEnd),
        primaryKey: primaryKey.deserialize(buffer, foreignEnd, end),
      }
    },
  }
}

/** What the subscriptions to a foreign key begin with: foreignKeyLength(4) foreignKey */
export function foreignKeyPrefixSerde<KO>(foreignKey: Serde<KO>): Serde<KO> {
  return composedSerde([foreignKey], prefixOf, [FOREIGN_KEY])
}

function prefixOf<KO>(foreignKey: Serde<KO>): Serde<KO> {
  return {
    name: `prefix(${foreignKey.name})`,
    serialize(key, writer) {
      const at = writer.position
      writer.writeInt32(0)
      foreignKey.serialize(key, writer)
      writer.buffer.writeInt32BE(writer.position - at - 4, at)
    },
    deserialize: (buffer, start, end) => foreignKey.deserialize(buffer, start + 4, end),
  }
}
