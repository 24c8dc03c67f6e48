/** The side of a foreign-key join that has the foreign keys: it subscribes to other rows, and joins the answers. */
import { localSerde } from '../../serde/binding.ts'
import { ByteWriter } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import { defined } from './map-values.ts'
import { murmur3Hash128 } from './murmur3.ts'
import type { OperatorContext } from './operator-context.ts'
import type { ValueJoiner } from './stream-table-join.ts'
import {
  INSTRUCTION,
  type Instruction,
  type Subscription,
  type SubscriptionResponse,
} from './subscription.ts'
import type { RowReader, TableView } from './table-view.ts'

/** @returns the key of the other table's row; null for none */
export type ForeignKeyExtractor<K, V, KO> = (value: V, key: K) => KO | null | undefined

export interface SubscriberOptions<K, V, KO> {
  readonly foreignKey: ForeignKeyExtractor<K, V, KO>
  readonly foreignKeySerde: Serde<KO>
  /** What tells one value from the next is its bytes. */
  readonly valueSerde: Serde<V>
  readonly leftJoin: boolean
  /** Whether the table is versioned: then a change that is not the latest is dropped (KIP-914). */
  readonly isVersioned: boolean
}

/** Hashes values' bytes. */
class ValueHasher<V> {
  readonly #serde: Serde<V>
  readonly #writer = new ByteWriter(256)

  constructor(serde: Serde<V>) {
    this.#serde = localSerde(serde)
  }

  hash(value: V | null): Buffer | null {
    if (value === null) return null
    const writer = this.#writer
    writer.reset()
    this.#serde.serialize(value, writer)
    return murmur3Hash128(writer.buffer, 0, writer.position)
  }
}

class SubscriptionSender<K, V, KO> implements Processor<K, Change<V>, KO | null, Subscription<K>> {
  readonly #options: SubscriberOptions<K, V, KO>
  readonly #hasher: ValueHasher<V>
  readonly #foreignKeys: Serde<KO>
  readonly #writer = new ByteWriter(256)

  constructor(options: SubscriberOptions<K, V, KO>) {
    this.#options = options
    this.#hasher = new ValueHasher(options.valueSerde)
    this.#foreignKeys = localSerde(options.foreignKeySerde)
  }

  process(record: StreamRecord<K, Change<V>>, context: OperatorContext<KO | null, Subscription<K>>): void {
    const { newValue, oldValue, isLatest } = record.value
    const { isVersioned, leftJoin } = this.#options
    if (isVersioned && isLatest === false) {
      context.recordDropped('out of order')
      return
    }
    if (leftJoin && newValue === null && oldValue === null) return
    const before = this.#foreignKey(record.key, oldValue)
    const after = this.#foreignKey(record.key, newValue)
    const hash = this.#hasher.hash(newValue)
    const send = (foreignKey: KO | null, instruction: Instruction): void => {
      const { key: primaryKey, timestamp, headers } = record
      const value = { hash, instruction, primaryKey, primaryPartition: context.partition }
      context.forward({ key: foreignKey, value, timestamp, headers })
    }
    if (leftJoin) {
      if (before !== null && this.#differ(before, after)) send(before, INSTRUCTION.deleteNoPropagate)
      // Also when the row is deleted: only an answer makes a result.
      send(after, INSTRUCTION.propagateNullIfAbsent)
      return
    }
    if (after === null) {
      if (newValue !== null) context.recordDropped('null foreign key')
      if (before !== null) send(before, INSTRUCTION.deleteAndPropagate)
    } else if (before !== null && this.#differ(before, after)) {
      send(before, INSTRUCTION.deleteNoPropagate)
      send(after, INSTRUCTION.propagateNullIfAbsent)
    } else {
      send(after, INSTRUCTION.propagateOnlyIfPresent)
    }
  }

  #foreignKey(key: K, value: V | null): KO | null {
    return value === null ? null : (this.#options.foreignKey(value, key) ?? null)
  }

  /** By their bytes. */
  #differ(before: KO, after: KO | null): boolean {
    if (after === null) return true
    const writer = this.#writer
    writer.reset()
    this.#foreignKeys.serialize(before, writer)
    const length = writer.position
    this.#foreignKeys.serialize(after, writer)
    const { buffer, position } = writer
    return buffer.compare(buffer, length, position, 0, length) !== 0
  }
}

/** Tells the foreign rows of what refers to them. Kafka Streams' SubscriptionSendProcessorSupplier. */
export function sendSubscriptions<K, V, KO>(
  options: SubscriberOptions<K, V, KO>,
): ProcessorSupplier<K, Change<V>, KO | null, Subscription<K>> {
  return () => new SubscriptionSender(options)
}

class ResponseJoin<K, V, VO, R> implements Processor<K, SubscriptionResponse<VO>, K, R | null> {
  readonly #view: TableView<K, V>
  readonly #joiner: ValueJoiner<K, V | null, VO | null, R | null>
  readonly #leftJoin: boolean
  readonly #hasher: ValueHasher<V>
  #rows!: RowReader<K, V>

  constructor(
    view: TableView<K, V>,
    valueSerde: Serde<V>,
    joiner: ValueJoiner<K, V | null, VO | null, R | null>,
    leftJoin: boolean,
  ) {
    this.#view = view
    this.#joiner = joiner
    this.#leftJoin = leftJoin
    this.#hasher = new ValueHasher(valueSerde)
  }

  init(context: OperatorContext<K, R | null>): void {
    this.#rows = this.#view.open(context)
  }

  process(record: StreamRecord<K, SubscriptionResponse<VO>>, context: OperatorContext<K, R | null>): void {
    const { key, timestamp, headers } = record
    const { hash, value: foreign } = record.value
    const present = this.#rows.get(key)
    const presentHash = this.#hasher.hash(present)
    const isCurrent = hash === null || presentHash === null ? hash === presentHash : hash.equals(presentHash)
    if (!isCurrent) {
      context.recordDropped('out of date: the row has changed')
      return
    }
    const isDeletion = foreign === null && (!this.#leftJoin || present === null)
    const value = isDeletion ? null : defined(this.#joiner(present, foreign, key))
    context.forward({ key, value, timestamp, headers })
  }

  close(): void {
    this.#rows.close?.()
  }
}

/** Joins the answers to the rows that they were asked for. Kafka Streams' ResponseJoinProcessorSupplier. */
export function joinResponses<K, V, VO, R>(
  view: TableView<K, V>,
  valueSerde: Serde<V>,
  joiner: ValueJoiner<K, V | null, VO | null, R | null>,
  leftJoin: boolean,
): ProcessorSupplier<K, SubscriptionResponse<VO>, K, R | null> {
  return () => new ResponseJoin(view, valueSerde, joiner, leftJoin)
}
