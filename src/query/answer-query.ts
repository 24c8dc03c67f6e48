import { bytesSerde } from '../serde/bytes.ts'
import { timeWindowEnd } from '../serde/windowed.ts'
import type {
  KeyValueStore,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyWindowStore,
  Store,
  StoreIterator,
  TieredKeyValueStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
} from '../state/store.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { QueryError } from './query-error.ts'
import { bytesOf, type WireAnswer, type WireQuery, type WireRow } from './wire-query.ts'

/** What an answer may have, bytes of keys and values: one row is always taken. */
const ANSWER_BYTES_MAX = 2 ** 20

export type StoreAnswer = Omit<WireAnswer, 'inputs'>

/**
 * Asks a store, which may be any of a task's. Between two turns of its thread: what it takes is bounded by the query's limit and the answer's bytes.
 *
 * @returns a promise where a tiered store has to load the row
 * @throws QueryError unknown-query-type, store-exception
 */
export function answerQuery(
  store: Store,
  definition: StoreDefinition,
  query: WireQuery,
): StoreAnswer | Promise<StoreAnswer> {
  checkType(definition, query)
  switch (query.type) {
    case 'key':
      return definition.type === 'tiered-key-value'
        ? loaded(store as TieredKeyValueStore<unknown, unknown>, definition, query)
        : one((store as KeyValueStore<unknown, unknown>).get(keyOf(definition, query.key)), definition)
    case 'version': {
      const versions = store as VersionedKeyValueStore<unknown, unknown>
      const key = keyOf(definition, query.key)
      const found = query.asOfMs === null ? versions.get(key) : versions.get(key, query.asOfMs)
      if (found === null) return { rows: [], hasMore: false }
      const { value, timestamp, validTo } = found
      return {
        rows: [{ value: bytesOf(definition.value, value), timestamp, validTo }],
        hasMore: false,
      }
    }
    case 'range':
      return range(store as ReadOnlyKeyValueStore<unknown, unknown>, definition, query)
    case 'windows': {
      using rows = (store as ReadOnlyWindowStore<unknown, unknown>).fetch(
        keyOf(definition, query.key),
        query.fromMs,
        query.toMs,
      )
      const size = definition.windows!.windowSizeMs
      return timed(rows, definition, query.limit, (start) => ({
        start,
        end: timeWindowEnd(start, size),
        time: start,
      }))
    }
    case 'sessions': {
      using rows = (store as ReadOnlySessionStore<unknown, unknown>).findSessions(
        keyOf(definition, query.key),
        query.fromMs,
        query.toMs,
      )
      return timed(rows, definition, query.limit, ({ window: { start, end } }) => ({ start, end, time: end }))
    }
    case 'count':
      return {
        rows: [],
        hasMore: false,
        count: (store as ReadOnlyKeyValueStore<unknown, unknown>).approximateEntryCount(),
      }
  }
}

/** What each type of store can be asked. */
const askable: Readonly<Partial<Record<StoreDefinition['type'], readonly WireQuery['type'][]>>> = {
  'key-value': ['key', 'range', 'count'],
  'timestamped-key-value': ['key', 'range', 'count'],
  'tiered-key-value': ['key'],
  window: ['windows'],
  'timestamped-window': ['windows'],
  session: ['sessions'],
  versioned: ['version'],
}

/** @throws QueryError unknown-query-type */
export function checkType(definition: StoreDefinition, query: WireQuery): void {
  const { name, type, windows } = definition
  const allowed = windows?.retainDuplicates === true ? [] : (askable[type] ?? [])
  if (!allowed.includes(query.type)) {
    const what = allowed.length === 0 ? 'it cannot be asked anything' : `ask it for ${allowed.join(', ')}`
    throw new QueryError('unknown-query-type', `store ${name} is of type ${type}: ${what}, not ${query.type}`)
  }
  if ('withTimestamp' in query && query.withTimestamp && type !== 'timestamped-key-value')
    throw new QueryError(
      'unknown-query-type',
      `store ${name} is of type ${type}: its rows have no timestamps`,
    )
}

function keyOf(definition: StoreDefinition, key: Uint8Array): unknown {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return definition.key.deserialize(bytes, 0, bytes.length)
}

/** What a store's users see of a row, as bytes and a time. */
function rowOf(seen: unknown, definition: StoreDefinition): WireRow {
  if (definition.type !== 'timestamped-key-value' && definition.type !== 'timestamped-window')
    return { value: bytesOf(definition.value, seen) }
  const { value, timestamp } = seen as ValueAndTimestamp<unknown>
  return { value: bytesOf(definition.value, value), timestamp }
}

function one(seen: unknown, definition: StoreDefinition): StoreAnswer {
  return { rows: seen === null ? [] : [rowOf(seen, definition)], hasMore: false }
}

async function loaded(
  store: TieredKeyValueStore<unknown, unknown>,
  definition: StoreDefinition,
  query: Extract<WireQuery, { type: 'key' }>,
): Promise<StoreAnswer> {
  return one(await store.load(keyOf(definition, query.key)), definition)
}

type Range = Extract<WireQuery, { type: 'range' }>

function range(
  store: ReadOnlyKeyValueStore<unknown, unknown>,
  definition: StoreDefinition,
  query: Range,
): StoreAnswer {
  using scan = scanOf(store, definition, query)
  const rows: WireRow[] = []
  let bytes = 0
  for (const { key, value } of scan) {
    const keyBytes = bytesOf(definition.key, key)
    if (query.after !== null && keyBytes.equals(query.after)) continue
    if (query.prefix !== null && !beginsWith(keyBytes, query.prefix)) break
    if (rows.length === query.limit || (rows.length > 0 && bytes >= ANSWER_BYTES_MAX))
      return { rows, hasMore: true }
    const row = { key: keyBytes, ...rowOf(value, definition) }
    bytes += keyBytes.length + row.value.length
    rows.push(row)
  }
  return { rows, hasMore: false }
}

function scanOf(
  store: ReadOnlyKeyValueStore<unknown, unknown>,
  definition: StoreDefinition,
  { from, to, after, prefix, reverse }: Range,
): StoreIterator<unknown, unknown> {
  if (prefix !== null && after === null) return store.prefixScan(Buffer.from(prefix), bytesSerde)
  const bound = (key: Uint8Array | null): unknown => (key === null ? null : keyOf(definition, key))
  const [first, last] = reverse ? [from, after ?? to] : [after ?? from, to]
  return reverse ? store.reverseRange(bound(first), bound(last)) : store.range(bound(first), bound(last))
}

function beginsWith(bytes: Buffer, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && bytes.subarray(0, prefix.length).equals(prefix)
}

function timed<K>(
  scan: StoreIterator<K, unknown>,
  definition: StoreDefinition,
  limit: number,
  placeOf: (key: K) => { readonly start: number; readonly end: number; readonly time: number },
): StoreAnswer {
  const rows: WireRow[] = []
  let bytes = 0
  for (const { key, value } of scan) {
    const { time, ...window } = placeOf(key)
    if (rows.length === limit || (rows.length > 0 && bytes >= ANSWER_BYTES_MAX))
      return { rows, hasMore: true, nextMs: time }
    const row = { ...rowOf(value, definition), ...window }
    bytes += row.value.length
    rows.push(row)
  }
  return { rows, hasMore: false }
}
