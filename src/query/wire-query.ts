/** Queries and answers as they go to a stream thread, or to another process: keys and values are bytes, so that whoever asks decodes them by its own serdes. */
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { InputPosition } from './position.ts'
import { QueryError } from './query-error.ts'
import {
  type KeyQuery,
  type RangeQuery,
  ROWS_DEFAULT,
  ROWS_MAX,
  type StateQuery,
  type VersionQuery,
  type WindowsQuery,
} from './state-query.ts'

export type WireQuery =
  | { readonly type: 'key'; readonly key: Uint8Array; readonly withTimestamp: boolean }
  | {
      readonly type: 'range'
      readonly from: Uint8Array | null
      readonly to: Uint8Array | null
      readonly after: Uint8Array | null
      readonly prefix: Uint8Array | null
      readonly limit: number
      readonly reverse: boolean
      readonly withTimestamp: boolean
    }
  | {
      readonly type: 'windows' | 'sessions'
      readonly key: Uint8Array
      readonly fromMs: number
      readonly toMs: number
      readonly limit: number
    }
  | { readonly type: 'version'; readonly key: Uint8Array; readonly asOfMs: number | null }
  | { readonly type: 'count' }

export interface WireRow {
  /** Of a range alone. */
  readonly key?: Uint8Array
  readonly value: Uint8Array
  /** Of rows that have one. */
  readonly timestamp?: number
  /** Of windows and sessions. */
  readonly start?: number
  readonly end?: number
  /** Of a version. */
  readonly validTo?: number | null
}

export interface WireAnswer {
  readonly rows: readonly WireRow[]
  /** Whether there are more rows than were asked for. */
  readonly hasMore: boolean
  /** Of windows and sessions: where the rows that are left begin, ms. */
  readonly nextMs?: number
  /** Of a count. */
  readonly count?: number
  /** The task's inputs; none for a global store. */
  readonly inputs: readonly InputPosition[]
}

export function bytesOf<T>(serde: Serde<T>, value: T): Buffer {
  const writer = new ByteWriter(64)
  serde.serialize(value, writer)
  return writer.copyFrom(0)
}

/** @throws QueryError query-invalid for what the store's serdes, or the limits, do not allow */
export function toWire(query: StateQuery<unknown>, store: StoreDefinition): WireQuery {
  const key = (value: unknown, what = 'key'): Buffer => keyBytes(store, store.key, value, what)
  switch (query.type) {
    case 'key': {
      const { key: asked, withTimestamp } = query as KeyQuery<unknown>
      return { type: 'key', key: key(asked), withTimestamp }
    }
    case 'version': {
      const { key: asked, asOfMs } = query as VersionQuery<unknown>
      if (asOfMs !== null) checkMs(asOfMs, 'asOfMs')
      return { type: 'version', key: key(asked), asOfMs }
    }
    case 'windows':
    case 'sessions': {
      const { type, key: asked, options } = query as WindowsQuery<unknown>
      const { from = 0, to = Number.MAX_SAFE_INTEGER, limit } = options
      checkMs(from, 'from')
      checkMs(to, 'to')
      return { type, key: key(asked), fromMs: from, toMs: to, limit: checkedLimit(limit) }
    }
    case 'range':
      return rangeToWire(query as RangeQuery<unknown>, store, key)
    case 'count':
      return { type: 'count' }
  }
}

function rangeToWire(
  { options, withTimestamp }: RangeQuery<unknown>,
  store: StoreDefinition,
  key: (value: unknown, what: string) => Buffer,
): WireQuery {
  const { from, to, after, prefix, limit, reverse = false } = options
  const optional = (value: unknown, what: string): Buffer | null =>
    value === undefined || value === null ? null : key(value, what)
  if (prefix !== undefined && (reverse || from !== undefined || to !== undefined)) {
    throw new QueryError('query-invalid', 'prefix: goes with neither from nor to, and not with reverse')
  }
  const prefixSerde = prefix?.serde as Serde<unknown> | undefined
  return {
    type: 'range',
    from: optional(from, 'from'),
    to: optional(to, 'to'),
    after: optional(after, 'after'),
    prefix:
      prefix === undefined
        ? null
        : keyBytes(store, store.bindKeyPart?.(prefixSerde!) ?? prefixSerde!, prefix.value, 'prefix'),
    limit: checkedLimit(limit),
    reverse,
    withTimestamp,
  }
}

function keyBytes(store: StoreDefinition, serde: Serde<unknown>, value: unknown, what: string): Buffer {
  if (value === null || value === undefined)
    throw new QueryError('query-invalid', `store ${store.name}: the ${what} must not be ${value}`)
  try {
    return bytesOf(serde, value)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new QueryError(
      'query-invalid',
      `store ${store.name}: this is no ${what} (serde ${serde.name}): ${why}`,
      { cause: error },
    )
  }
}

function checkedLimit(limit = ROWS_DEFAULT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= ROWS_MAX) return limit
  throw new QueryError('query-invalid', `limit is ${limit}: expected a whole number from 1 to ${ROWS_MAX}`)
}

function checkMs(time: number, what: string): void {
  if (Number.isSafeInteger(time) && time >= 0) return
  throw new QueryError('query-invalid', `${what} is ${time}: expected whole milliseconds since 1970`)
}
