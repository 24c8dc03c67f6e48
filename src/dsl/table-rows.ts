import { joinedView, type RowJoiner, storeView, type TableView } from '../process/operators/table-view.ts'

/**
 * What a table is made from, and who needs what of it: whether somebody below asked for old values, and how its rows are read. Kafka Streams'
 * KTableImpl.enableSendingOldValues and valueGetterSupplier.
 */
export interface TableRows<K, V> {
  /** The key-value store's name, once there is one; null for a table that never has one. */
  readonly store: string | null
  readonly sendsOldValues: boolean
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
  readonly #view: TableView<K, V>
  sendsOldValues = false

  /** @param view reads its store; @param keyValueStore its name, when it is a key-value store */
  constructor(view: TableView<K, V>, keyValueStore: string | null = null) {
    this.#view = view
    this.store = keyValueStore
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
  isMaterialized: boolean
  sendsOldValues = false

  constructor(store: string, isMaterialized: boolean) {
    this.store = store
    this.isMaterialized = isMaterialized
  }

  enableOldValues(force: boolean): boolean {
    if (!force && !this.isMaterialized) return false
    this.isMaterialized = true
    this.sendsOldValues = true
    return true
  }

  view(): TableView<K, V> {
    this.isMaterialized = true
    return storeView(this.store)
  }
}

/** Rows that are made from another table's, one by one: kept in a store only when it was given a name. */
export class ComputedRows<K, P, V> implements TableRows<K, V> {
  readonly store: string | null
  readonly #parent: TableRows<K, P>
  readonly #compute: (parent: TableView<K, P>) => TableView<K, V>
  sendsOldValues = false

  /** @param compute how to read the rows where there is no store */
  constructor(
    store: string | null,
    parent: TableRows<K, P>,
    compute: (parent: TableView<K, P>) => TableView<K, V>,
  ) {
    this.store = store
    this.#parent = parent
    this.#compute = compute
  }

  enableOldValues(force: boolean): boolean {
    if (this.store !== null || this.#parent.enableOldValues(force)) this.sendsOldValues = true
    return this.sendsOldValues
  }

  view(): TableView<K, V> {
    return this.store === null ? this.#compute(this.#parent.view()) : storeView(this.store)
  }
}

/** Rows joined from two tables': kept in a store only when it was given a name. */
export class JoinedRows<K, V1, V2, R> implements TableRows<K, R> {
  readonly store: string | null
  readonly #left: TableRows<K, V1>
  readonly #right: TableRows<K, V2>
  readonly #join: RowJoiner<K, V1, V2, R>
  sendsOldValues = false

  constructor(
    store: string | null,
    left: TableRows<K, V1>,
    right: TableRows<K, V2>,
    join: RowJoiner<K, V1, V2, R>,
  ) {
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
      : storeView(this.store)
  }
}
