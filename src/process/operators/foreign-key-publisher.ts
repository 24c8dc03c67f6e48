/** The side of a foreign-key join that is referred to: it keeps the subscriptions to its rows, and answers them. */
import type { Serde } from '../../serde/serde.ts'
import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import {
  type CombinedKey,
  foreignKeyPrefixSerde,
  INSTRUCTION,
  type Subscription,
  type SubscriptionResponse,
} from './subscription.ts'
import type { RowReader, TableView } from './table-view.ts'

type SubscriptionStore<KO, K> = TimestampedKeyValueStore<CombinedKey<KO, K>, Subscription<K>>

class SubscriptionReceiver<KO, K>
  implements Processor<KO | null, Subscription<K>, KO | null, Subscription<K>>
{
  readonly #storeName: string
  #store!: SubscriptionStore<KO, K>

  constructor(store: string) {
    this.#storeName = store
  }

  init(context: OperatorContext<KO | null, Subscription<K>>): void {
    this.#store = context.stateStore(this.#storeName)
  }

  process(
    record: StreamRecord<KO | null, Subscription<K>>,
    context: OperatorContext<KO | null, Subscription<K>>,
  ): void {
    const { key: foreignKey, value: subscription, timestamp } = record
    const { instruction, primaryKey } = subscription
    if (foreignKey !== null) {
      const isKept =
        instruction === INSTRUCTION.propagateNullIfAbsent ||
        instruction === INSTRUCTION.propagateOnlyIfPresent
      this.#store.update({ foreignKey, primaryKey }, isKept ? subscription : null, timestamp)
    } else if (instruction !== INSTRUCTION.propagateNullIfAbsent) {
      context.recordDropped('null foreign key')
      return
    }
    context.forward(record)
  }
}

/** Keeps the subscriptions. Kafka Streams' SubscriptionReceiveProcessorSupplier. */
export function receiveSubscriptions<KO, K>(
  store: string,
): ProcessorSupplier<KO | null, Subscription<K>, KO | null, Subscription<K>> {
  return () => new SubscriptionReceiver(store)
}

class SubscriptionAnswer<KO, VO, K>
  implements Processor<KO | null, Subscription<K>, K, SubscriptionResponse<VO>>
{
  readonly #view: TableView<KO, VO>
  #rows!: RowReader<KO, VO>

  constructor(view: TableView<KO, VO>) {
    this.#view = view
  }

  init(context: OperatorContext<K, SubscriptionResponse<VO>>): void {
    this.#rows = this.#view.open(context)
  }

  process(
    record: StreamRecord<KO | null, Subscription<K>>,
    context: OperatorContext<K, SubscriptionResponse<VO>>,
  ): void {
    const { key: foreignKey, headers } = record
    const { instruction, hash, primaryKey, primaryPartition } = record.value
    if (instruction === INSTRUCTION.deleteNoPropagate) return
    const row = foreignKey === null ? null : this.#rows.get(foreignKey)
    if (row === null && instruction === INSTRUCTION.propagateOnlyIfPresent) return
    const timestamp = row === null ? record.timestamp : Math.max(record.timestamp, this.#rows.timestamp)
    const value = instruction === INSTRUCTION.deleteAndPropagate ? null : row
    context.forward({ key: primaryKey, value: { hash, value, primaryPartition }, timestamp, headers })
  }

  close(): void {
    this.#rows.close?.()
  }
}

/** Answers a subscription with the row as it is. Kafka Streams' SubscriptionJoinProcessorSupplier. */
export function answerSubscriptions<KO, VO, K>(
  view: TableView<KO, VO>,
): ProcessorSupplier<KO | null, Subscription<K>, K, SubscriptionResponse<VO>> {
  return () => new SubscriptionAnswer(view)
}

export interface PublisherOptions<KO> {
  /** Where the subscriptions are. */
  readonly store: string
  readonly foreignKeySerde: Serde<KO>
  /** Whether the table is versioned: then a change that is not the latest is dropped (KIP-914). */
  readonly isVersioned: boolean
}

class ForeignRowPublisher<KO, VO, K> implements Processor<KO, Change<VO>, K, SubscriptionResponse<VO>> {
  readonly #options: PublisherOptions<KO>
  readonly #prefix: Serde<KO>
  #store!: SubscriptionStore<KO, K>

  constructor(options: PublisherOptions<KO>) {
    this.#options = options
    this.#prefix = foreignKeyPrefixSerde(options.foreignKeySerde)
  }

  init(context: OperatorContext<K, SubscriptionResponse<VO>>): void {
    this.#store = context.stateStore(this.#options.store)
  }

  process(record: StreamRecord<KO, Change<VO>>, context: OperatorContext<K, SubscriptionResponse<VO>>): void {
    const { key: foreignKey, timestamp, headers } = record
    if (foreignKey === null) {
      context.recordDropped('null key')
      return
    }
    const { newValue, isLatest } = record.value
    if (this.#options.isVersioned && isLatest === false) {
      context.recordDropped('out of order')
      return
    }
    using subscriptions = this.#store.prefixScan(foreignKey, this.#prefix)
    for (const { key, value: row } of subscriptions) {
      const { hash, primaryPartition } = row.value
      const value = { hash, value: newValue, primaryPartition }
      context.forward({ key: key.primaryKey, value, timestamp, headers })
    }
  }
}

/** Tells all subscribers of a row that it has changed. Kafka Streams' ForeignTableJoinProcessorSupplier. */
export function publishRows<KO, VO, K>(
  options: PublisherOptions<KO>,
): ProcessorSupplier<KO, Change<VO>, K, SubscriptionResponse<VO>> {
  return () => new ForeignRowPublisher(options)
}
