import { joinedView, type RowJoiner, storeView, type TableView } from '../process/operators/table-view.ts'
import { asksForStore, type MaterializedOptions } from './options.ts'

/**
 * What a table is made from, and who needs what of it: whether somebody below asked for old values, and how its rows are read. Kafka Streams'
 * KTableImpl.enableSendingOldValues and valueGetterSupplier.
 */
export interface TableRows<K, V> {
  /** The key-value store's name, once there is one; null for a table that never has one. */
  readonly store: string | null
  readonly sendsOldValues: boolean
  /** Whether changes may come that are not the latest of their key. Not there: false. Kafka Streams' GraphNode.isOutputVersioned. */
  readonly isVersioned?: boolean
  /**
   * Asks that changes carry old values.
   *
   * @param force makes stores where there are none
   * @returns false when old values cannot be had without a store
   */
  enableOldValues(force: boolean): boolean
  /** How to read the present rows; from now on there is a store to read. */
  view(): TableView<K, V>
}

/** An aggregate: it always has a store. */
export class AggregateRows<K, V> implements TableRows<K, V> {
  readonly store: string | null
  readonly isVersioned: boolean
  readonly #view: TableView<K, V>
  sendsOldValues = false

  /** @param view reads its store; @param keyValueStore its name, when it is a key-value store */
  constructor(view: TableView<K, V>, keyValueStore: string | null = null) {
    this.#view = view
    this.store = keyValueStore
    this.isVersioned = view.historyRetentionMs !== undefined
  }

  enableOldValues(): boolean {
    this.sendsOldValues = true
    return true
  }

  view(): TableView<K, V> {
    return this.#view
  }
}

/** A topic: it gets a store when somebody needs one. */
export class SourceRows<K, V> implements TableRows<K, V> {
  readonly store: string
  readonly isVersioned: boolean
  readonly #historyRetentionMs: number | undefined
  isMaterialized: boolean
  sendsOldValues = false

  constructor(store: string, isMaterialized: boolean, historyRetentionMs?: number) {
    this.store = store
    this.isMaterialized = isMaterialized
    this.isVersioned = historyRetentionMs !== undefined
    this.#historyRetentionMs = historyRetentionMs
  }

  enableOldValues(force: boolean): boolean {
    if (!force && !this.isMaterialized) return false
    this.isMaterialized = true
    this.sendsOldValues = true
    return true
  }

  view(): TableView<K, V> {
    this.isMaterialized = true
    return storeView(this.store, this.#historyRetentionMs)
  }
}

/** Rows that are made from another table's, one by one: kept in a store only when it was given a name. */
export class ComputedRows<K, P, V> implements TableRows<K, V> {
  readonly store: string | null
  readonly #parent: TableRows<K, P>
  readonly isVersioned: boolean
  readonly #compute: (parent: TableView<K, P>) => TableView<K, V>
  readonly #historyRetentionMs: number | undefined
  sendsOldValues = false

  /** @param compute how to read the rows where there is no store; @param options as the user gave them */
  constructor(
    store: string | null,
    parent: TableRows<K, P>,
    compute: (parent: TableView<K, P>) => TableView<K, V>,
    options?: MaterializedOptions<K, V>,
  ) {
    this.store = store
    this.#parent = parent
    this.#compute = compute
    this.#historyRetentionMs = options?.historyRetentionMs
    // As in Kafka Streams, what is said about a store says that the table is not versioned, even if it has none.
    this.isVersioned = asksForStore(options)
      ? options?.historyRetentionMs !== undefined
      : parent.isVersioned === true
  }

  enableOldValues(force: boolean): boolean {
    if (this.store !== null || this.#parent.enableOldValues(force)) this.sendsOldValues = true
    return this.sendsOldValues
  }

  view(): TableView<K, V> {
    return this.store === null
      ? this.#compute(this.#parent.view())
      : storeView(this.store, this.#historyRetentionMs)
  }
}

/** Rows joined from two tables': kept in a store only when it was given a name. */
export class JoinedRows<K, V1, V2, R> implements TableRows<K, R> {
  readonly store: string | null
  readonly #left: TableRows<K, V1>
  readonly #right: TableRows<K, V2>
  readonly isVersioned: boolean
  readonly #join: RowJoiner<K, V1, V2, R>
  readonly #historyRetentionMs: number | undefined
  sendsOldValues = false

  /** Versioned only in a versioned store of its own (KIP-914). */
  constructor(
    store: string | null,
    left: TableRows<K, V1>,
    right: TableRows<K, V2>,
    join: RowJoiner<K, V1, V2, R>,
    historyRetentionMs?: number,
  ) {
    this.isVersioned = historyRetentionMs !== undefined
    this.#historyRetentionMs = historyRetentionMs
    this.store = store
    this.#left = left
    this.#right = right
    this.#join = join
  }

  /** An old joined row is made from its parents' old rows, which they need stores for. */
  enableOldValues(): boolean {
    this.#left.enableOldValues(true)
    this.#right.enableOldValues(true)
    this.sendsOldValues = true
    return true
  }

  view(): TableView<K, R> {
    return this.store === null
      ? joinedView(this.#left.view(), this.#right.view(), this.#join)
      : storeView(this.store, this.#historyRetentionMs)
  }
}
