import type { Serde } from '../serde/serde.ts'
import type { ValueAndTimestamp, VersionedRecord, Window } from '../state/store.ts'
import type { Position } from './position.ts'

/** Rows of an answer at the most, and by default. */
export const ROWS_MAX = 1_000
export const ROWS_DEFAULT = 100

/**
 * What is asked of a store; made by {@link queries}. `R` is the type of the answer, which says what the caller knows of the store's serdes. KIP-796's Query.
 */
export interface StateQuery<R> {
  readonly type: 'key' | 'range' | 'windows' | 'sessions' | 'version' | 'count'
  /** Never there: it carries the type of the answer. */
  readonly answer?: R
}

/** Some rows, in the order of their keys' bytes. */
export interface QueriedRows<K, V> {
  readonly rows: readonly { readonly key: K; readonly value: V }[]
  /** null: there are no more. Otherwise the key to give as `after`: the rows go on there. */
  readonly next: K | null
}

/** Some windows, or sessions, of one key, in the order of time. */
export interface QueriedWindows<V> {
  readonly rows: readonly { readonly window: Window; readonly value: V; readonly timestamp?: number }[]
  /** null: there are no more. Otherwise the time to give as `from`: the rows go on there. */
  readonly next: number | null
}

/** Which rows of a key-value store. */
export interface RangeOptions<K> {
  /** Included. Default: from the first key on. */
  readonly from?: K
  /** Included. Default: to the last key. */
  readonly to?: K
  /** Excluded: the last key of the rows before. Comes in the place of `from`, or of `to` where the order is reversed. */
  readonly after?: K
  /** Only keys whose bytes begin with those of this. With it there is neither `from` nor `to`, and no reversed order. */
  readonly prefix?: { readonly value: unknown; readonly serde: Serde<unknown> }
  /** From 1 to 1,000. Default: 100. */
  readonly limit?: number
  /** In the opposite order. Default: false. */
  readonly reverse?: boolean
}

/** Which windows of a key. */
export interface WindowOptions {
  /** The earliest start of a window, the earliest end of a session, ms since 1970; included. Default: 0. */
  readonly from?: number
  /** The latest start, ms since 1970; included. Default: no limit. */
  readonly to?: number
  /** From 1 to 1,000. Default: 100. */
  readonly limit?: number
}

export interface KeyQuery<R> extends StateQuery<R> {
  readonly type: 'key'
  readonly key: unknown
  readonly withTimestamp: boolean
}

export interface RangeQuery<R> extends StateQuery<R> {
  readonly type: 'range'
  readonly options: RangeOptions<unknown>
  readonly withTimestamp: boolean
}

export interface WindowsQuery<R> extends StateQuery<R> {
  readonly type: 'windows' | 'sessions'
  readonly key: unknown
  readonly options: WindowOptions
}

export interface VersionQuery<R> extends StateQuery<R> {
  readonly type: 'version'
  readonly key: unknown
  readonly asOfMs: number | null
}

/** The queries that there are. None is answered before `application.query` is given it. */
export const queries = {
  /** One row of a key-value store; null: there is none. KIP-805's KeyQuery. */
  key<K, V>(key: K): KeyQuery<V | null> {
    return { type: 'key', key, withTimestamp: false }
  },
  /** One row of a table's store, with the time of the record that changed it last. KIP-992's TimestampedKeyQuery. */
  timestampedKey<K, V>(key: K): KeyQuery<ValueAndTimestamp<V> | null> {
    return { type: 'key', key, withTimestamp: true }
  },
  /** Rows of a key-value store. KIP-805's RangeQuery, and KIP-985's order. */
  range<K, V>(options: RangeOptions<K> = {}): RangeQuery<QueriedRows<K, V>> {
    return { type: 'range', options, withTimestamp: false }
  },
  /** Rows of a table's store, with their times. KIP-992's TimestampedRangeQuery. */
  timestampedRange<K, V>(options: RangeOptions<K> = {}): RangeQuery<QueriedRows<K, ValueAndTimestamp<V>>> {
    return { type: 'range', options, withTimestamp: true }
  },
  /** Windows of one key. KIP-806's WindowKeyQuery. */
  windows<K, V>(key: K, options: WindowOptions = {}): WindowsQuery<QueriedWindows<V>> {
    return { type: 'windows', key, options }
  },
  /** Sessions of one key. KIP-806's WindowRangeQuery.withKey. */
  sessions<K, V>(key: K, options: WindowOptions = {}): WindowsQuery<QueriedWindows<V>> {
    return { type: 'sessions', key, options }
  },
  /** What a versioned store has of a key: the latest version, or that of a time. KIP-960's VersionedKeyQuery. */
  version<K, V>(key: K, options: { readonly asOfMs?: number } = {}): VersionQuery<VersionedRecord<V> | null> {
    return { type: 'version', key, asOfMs: options.asOfMs ?? null }
  },
  /** About how many rows a key-value store has, in the partitions asked. */
  count(): StateQuery<number> {
    return { type: 'count' }
  },
} as const

/**
 * Which state may answer:
 * - `consistent`: that of the task that processes the partition now. It may have what is not committed yet. KIP-796's requireActive.
 * - `committed`: as `consistent`, but answered only when what was read is committed, which the next commit of the task does.
 * - `stale`: also that of a task that waits for the end of a rebalance.
 */
export type QueryConsistency = 'consistent' | 'committed' | 'stale'

/** How a query is answered. KIP-796's StateQueryRequest. */
export interface QueryOptions {
  /** Default: `consistent`. */
  readonly consistency?: QueryConsistency
  /**
   * The partition whose state is asked, or all of them. Default: that of the key, as producers choose it (murmur2 of the key's bytes); all for a
   * query without one.
   */
  readonly partition?: number | 'all'
  /** Only a store answers that has processed at least this: the `position` of an earlier answer, or where a producer has put a record. KIP-796's PositionBound. */
  readonly positionBound?: Position
  /** From 1 to 60,000. Default: 5,000. */
  readonly timeoutMs?: number
}

/** KIP-796's StateQueryResult. */
export interface StateQueryResult<R> {
  readonly value: R
  /** Up to where the stores that were asked had processed their inputs at least. Empty for a global store. */
  readonly position: Position
  /** Those that were asked. */
  readonly partitions: readonly number[]
}

/** A store that can be asked. */
export interface QueryableStore {
  readonly name: string
  readonly type: string
  /** The serdes' names. */
  readonly key: string
  readonly value: string
  /** 1 for a global store. */
  readonly partitions: number
  readonly isGlobal: boolean
}
