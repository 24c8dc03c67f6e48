import type { RowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { type Change, changeFrom } from './change.ts'
import { ChangeForwarder } from './change-forwarder.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { ValueJoiner } from './stream-table-join.ts'
import type { RowJoiner, RowReader, TableView } from './table-view.ts'

/** Which of the two rows a joined row cannot do without. */
export interface JoinKind {
  readonly leftRequired: boolean
  readonly rightRequired: boolean
}

export interface TableJoinSideOptions {
  /** Whether nothing is joined without the other side's row. */
  readonly otherRequired: boolean
  /** Whether its table is versioned: then a change that is not the latest is dropped (KIP-914). */
  readonly isVersioned: boolean
  /** Asked when a processor is made, which is after the topology was built. */
  readonly sendsOldValues: () => boolean
}

/** One side of a join: a change of its table meets the other table's present row. */
class TableJoinSide<K, V1, V2, R> implements Processor<K, Change<V1>, K, Change<R>> {
  readonly #otherView: TableView<K, V2>
  readonly #join: RowJoiner<K, V1, V2, R>
  readonly #otherRequired: boolean
  readonly #isVersioned: boolean
  readonly #sendsOldValues: boolean
  #other!: RowReader<K, V2>

  constructor(view: TableView<K, V2>, join: RowJoiner<K, V1, V2, R>, options: TableJoinSideOptions) {
    this.#otherView = view
    this.#join = join
    this.#otherRequired = options.otherRequired
    this.#isVersioned = options.isVersioned
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<K, Change<R>>): void {
    this.#other = this.#otherView.open(context)
  }

  process(record: StreamRecord<K, Change<V1>>, context: OperatorContext<K, Change<R>>): void {
    const { key, headers } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    const { newValue: thisNew, oldValue: thisOld } = record.value
    if (this.#isVersioned && record.value.isLatest === false) {
      context.recordDropped('out of order')
      return
    }
    const other = this.#other.get(key)
    if (other === null && (this.#otherRequired || (thisNew === null && thisOld === null))) return
    const timestamp = Math.max(record.timestamp, this.#other.timestamp)
    const newValue = this.#join(thisNew, other, key)
    const oldValue = this.#sendsOldValues ? this.#join(thisOld, other, key) : null
    context.forward({ key, value: changeFrom(record.value, newValue, oldValue), timestamp, headers })
  }

  close(): void {
    this.#other.close?.()
  }
}

/** Where both sides of a join meet: keeps the joined rows, when there is a store for them. */
class TableJoinMerge<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #storeName: string | null
  readonly #sendsOldValues: boolean
  #forwarder: ChangeForwarder<K, V> | null = null

  constructor(store: string | null, sendsOldValues: boolean) {
    this.#storeName = store
    this.#sendsOldValues = sendsOldValues
  }

  init(context: OperatorContext<K, Change<V>>): void {
    if (this.#storeName === null) return
    const store = context.stateStore<RowStore<K, V>>(this.#storeName)
    this.#forwarder = new ChangeForwarder(store, context, this.#sendsOldValues)
  }

  process(record: StreamRecord<K, Change<V>>, context: OperatorContext<K, Change<V>>): void {
    if (this.#forwarder === null) {
      context.forward(record)
    } else {
      const { newValue, oldValue } = record.value
      this.#forwarder.update(record, newValue, oldValue, record.timestamp)
    }
  }
}

/** A joined row: null where a required row is not there, or neither is. */
export function rowJoiner<K, V1, V2, R>(
  joiner: ValueJoiner<K, V1 | null, V2 | null, R | null>,
  { leftRequired, rightRequired }: JoinKind,
): RowJoiner<K, V1, V2, R> {
  return (left, right, key) => {
    if (left === null && (leftRequired || right === null)) return null
    if (right === null && rightRequired) return null
    return defined(joiner(left, right, key))
  }
}

/**
 * One side of a table-table join. Kafka Streams' KTableKTableInnerJoin, KTableKTableLeftJoin, KTableKTableRightJoin and KTableKTableOuterJoin.
 *
 * @param other the rows of the other table
 * @param join this side's row first
 */
export function tableJoinSide<K, V1, V2, R>(
  other: TableView<K, V2>,
  join: RowJoiner<K, V1, V2, R>,
  options: TableJoinSideOptions,
): ProcessorSupplier<K, Change<V1>, K, Change<R>> {
  return () => new TableJoinSide(other, join, options)
}

/**
 * Both sides of a table-table join together. Kafka Streams' KTableKTableJoinMerger.
 *
 * @param store null: joined rows are computed whenever they are asked for
 * @param sendsOldValues asked when a processor is made
 */
export function tableJoinMerge<K, V>(
  store: string | null,
  sendsOldValues: () => boolean,
): ProcessorSupplier<K, Change<V>, K, Change<V>> {
  return () => new TableJoinMerge(store, sendsOldValues())
}
