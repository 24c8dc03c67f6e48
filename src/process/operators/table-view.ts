import type {
  RowStore,
  SessionStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  Windowed,
} from '../../state/store.ts'
import type { ProcessorContext } from '../processor.ts'

/** Reads a table's present rows, one at a time. */
export interface RowReader<K, V> {
  /**
   * @param asOfTimestamp of versioned tables alone: the time for which the row is asked, ms. Default: the present
   * @returns the value under a key, null when there is none
   */
  get(key: K, asOfTimestamp?: number): V | null
  /** ms: of the row that `get` has returned last; -1 when there was none */
  readonly timestamp: number
  /** Of readers that have something to close: their processor does, when it is closed. */
  close?(): void
}

/** @returns the row's value in a table that is computed from another, null when it has none there */
export type RowFunction<K, V, V2> = (value: V, key: K) => V2 | null

/** How another operator reads a table. Kafka Streams' KTableValueGetterSupplier. */
export interface TableView<K, V> {
  /** The stores that the reader must be connected to. */
  readonly stores: readonly string[]
  /** Of versioned tables alone: how far behind rows can be asked for, ms. */
  readonly historyRetentionMs?: number
  open(context: ProcessorContext): RowReader<K, V>
}

/** @returns the row's value in a table joined from two, null when it has none there; a null argument is a row that is not there */
export type RowJoiner<K, V1, V2, R> = (left: V1 | null, right: V2 | null, key: K) => R | null

class StoreReader<K, V> implements RowReader<K, V> {
  readonly #rows: RowStore<K, V>
  timestamp = -1

  constructor(rows: RowStore<K, V>) {
    this.#rows = rows
  }

  get(key: K): V | null {
    const row = this.#rows.peek(key)
    this.timestamp = row === null ? -1 : row.timestamp
    return row === null ? null : row.value
  }
}

class VersionReader<K, V> implements RowReader<K, V> {
  readonly #rows: VersionedKeyValueStore<K, V>
  timestamp = -1

  constructor(rows: VersionedKeyValueStore<K, V>) {
    this.#rows = rows
  }

  get(key: K, asOfTimestamp?: number): V | null {
    const row = asOfTimestamp === undefined ? this.#rows.get(key) : this.#rows.get(key, asOfTimestamp)
    this.timestamp = row === null ? -1 : row.timestamp
    return row === null ? null : row.value
  }
}

class WindowReader<K, V> implements RowReader<Windowed<K>, V> {
  readonly #rows: TimestampedWindowStore<K, V>
  timestamp = -1

  constructor(rows: TimestampedWindowStore<K, V>) {
    this.#rows = rows
  }

  get({ key, window }: Windowed<K>): V | null {
    const row = this.#rows.peek(key, window.start)
    this.timestamp = row === null ? -1 : row.timestamp
    return row === null ? null : row.value
  }
}

/** A session's row has the session's end for a timestamp. */
class SessionReader<K, V> implements RowReader<Windowed<K>, V> {
  readonly #rows: SessionStore<K, V>
  timestamp = -1

  constructor(rows: SessionStore<K, V>) {
    this.#rows = rows
  }

  get({ key, window }: Windowed<K>): V | null {
    const value = this.#rows.fetchSession(key, window.start, window.end)
    this.timestamp = value === null ? -1 : window.end
    return value
  }
}

class ComputingReader<K, V, V2> implements RowReader<K, V2> {
  readonly #parent: RowReader<K, V>
  readonly #compute: RowFunction<K, V, V2>
  timestamp = -1

  constructor(parent: RowReader<K, V>, compute: RowFunction<K, V, V2>) {
    this.#parent = parent
    this.#compute = compute
  }

  get(key: K, asOfTimestamp?: number): V2 | null {
    const value = this.#parent.get(key, asOfTimestamp)
    const computed = value === null ? null : this.#compute(value, key)
    this.timestamp = computed === null ? -1 : this.#parent.timestamp
    return computed
  }

  close(): void {
    this.#parent.close?.()
  }
}

class JoiningReader<K, V1, V2, R> implements RowReader<K, R> {
  readonly #left: RowReader<K, V1>
  readonly #right: RowReader<K, V2>
  readonly #join: RowJoiner<K, V1, V2, R>
  timestamp = -1

  constructor(left: RowReader<K, V1>, right: RowReader<K, V2>, join: RowJoiner<K, V1, V2, R>) {
    this.#left = left
    this.#right = right
    this.#join = join
  }

  get(key: K): R | null {
    const joined = this.#join(this.#left.get(key), this.#right.get(key), key)
    this.timestamp = joined === null ? -1 : Math.max(this.#left.timestamp, this.#right.timestamp)
    return joined
  }

  close(): void {
    this.#left.close?.()
    this.#right.close?.()
  }
}

/** Reads a table's own store. @param historyRetentionMs of a versioned one */
export function storeView<K, V>(store: string, historyRetentionMs?: number): TableView<K, V> {
  if (historyRetentionMs === undefined)
    return {
      stores: [store],
      open: (context) => new StoreReader(context.stateStore<RowStore<K, V>>(store)),
    }
  return {
    stores: [store],
    historyRetentionMs,
    open: (context) => new VersionReader(context.stateStore<VersionedKeyValueStore<K, V>>(store)),
  }
}

/** Reads the store of an aggregate over time windows. */
export function windowView<K, V>(store: string): TableView<Windowed<K>, V> {
  return {
    stores: [store],
    open: (context) => new WindowReader(context.stateStore<TimestampedWindowStore<K, V>>(store)),
  }
}

/** Reads the store of an aggregate over sessions. */
export function sessionView<K, V>(store: string): TableView<Windowed<K>, V> {
  return {
    stores: [store],
    open: (context) => new SessionReader(context.stateStore<SessionStore<K, V>>(store)),
  }
}

/** Reads a parent table's row and computes this table's: for tables without a store. */
export function computedView<K, V, V2>(
  parent: TableView<K, V>,
  compute: RowFunction<K, V, V2>,
): TableView<K, V2> {
  return {
    ...parent,
    open: (context) => new ComputingReader(parent.open(context), compute),
  }
}

/** Reads the rows of two tables and joins them: for joined tables without a store. */
export function joinedView<K, V1, V2, R>(
  left: TableView<K, V1>,
  right: TableView<K, V2>,
  join: RowJoiner<K, V1, V2, R>,
): TableView<K, R> {
  return {
    stores: [...new Set([...left.stores, ...right.stores])],
    open: (context) => new JoiningReader(left.open(context), right.open(context), join),
  }
}
