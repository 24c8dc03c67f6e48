import type { StreamRecord } from '../process/record.ts'
import { checkFunction, checkOptions, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import {
  type ColumnEncoder,
  type CqlType,
  type CqlValue,
  parseType,
  SCALAR_TYPES,
  type ScalarType,
  shownValue,
} from './column-types.ts'
import type {
  ClusteringColumnDefinition,
  ColumnDefinition,
  TableOption,
  TableSchema,
} from './table-schema.ts'

/** Columns and their types, in order. */
export type CassandraColumns<T extends CqlType = CqlType> = Readonly<Record<string, T>>

/** The values of some columns; those of a key must all be there. */
export type CassandraRow<C extends CassandraColumns> = { readonly [N in keyof C]: CqlValue<C[N]> }

/** What a record becomes: a column that is left out, or null, has no value afterwards. */
export type CassandraRowValues<C extends CassandraColumns> = {
  readonly [N in keyof C]?: CqlValue<C[N]> | null | undefined
}

export interface CassandraTableOptions<
  K,
  V,
  P extends CassandraColumns<ScalarType>,
  C extends CassandraColumns<ScalarType>,
  R extends CassandraColumns,
> {
  /** Up to 48 letters, digits and underscores; upper and lower case are told apart. */
  readonly name: string
  /** The columns by which rows are spread over nodes, at least one. */
  readonly partitionKey: P
  /** The columns that tell the rows of a partition apart, and that they lie in order of. Default: none */
  readonly clusteringKey?: C
  /** Default: ascending. */
  readonly clusteringOrder?: { readonly [N in keyof C]?: 'asc' | 'desc' }
  /** The other columns. Default: none. */
  readonly columns?: R
  /** The other columns' values; null deletes the row. Not called for a record whose value is null: that deletes its row. Default: no other columns. */
  readonly map?: (key: K, value: V, record: StreamRecord<K, V>) => CassandraRowValues<R> | null | undefined
  /**
   * The key of a record's row; null drops the record, as a null key does by itself. Called for a record without a value too, whose row is deleted. Default: the record's key,
   * which is the value of the only key column, or has all of them as properties. (For the compiler: `map` comes first, or this has types of its own.)
   */
  readonly key?: (key: K, record: StreamRecord<K, V | null>) => CassandraRow<P & C> | null
  /** After how many seconds a row is gone, or what says so for each; null: never. Default: the table's own. */
  readonly ttlSeconds?: number | ((key: K, value: V, record: StreamRecord<K, V>) => number | null)
  /** Properties of CREATE TABLE, for `weir cassandra init`: `{ gc_grace_seconds: 86400, compaction: { class: 'LeveledCompactionStrategy' } }`. */
  readonly with?: Readonly<Record<string, TableOption>>
}

interface Column extends ColumnDefinition {
  readonly encode: ColumnEncoder
}

type AnyRecord = StreamRecord<unknown, unknown>
type KeyOf = (key: unknown, record: AnyRecord) => unknown
type ValuesOf = (key: unknown, value: unknown, record: AnyRecord) => unknown
type TtlOf = (key: unknown, value: unknown, record: AnyRecord) => number | null

const OPTIONS = [
  'name',
  'partitionKey',
  'clusteringKey',
  'clusteringOrder',
  'columns',
  'key',
  'map',
  'ttlSeconds',
  'with',
]
/** Of tables and columns. */
export const TABLE_NAME = /^[A-Za-z0-9_]{1,48}$/
/** Twenty years: what Cassandra takes. */
const TTL_SECONDS_MAX = 630_720_000

/**
 * A table in Cassandra that records are written to, each as the row of its key: made by `cassandra.table`. One row should get the records of one
 * partition only: their order is the row's.
 */
export class CassandraTable<K = unknown, V = unknown> {
  /** For types: what records it takes. */
  declare protected readonly takes: (key: K, value: V) => void
  readonly name: string
  /** @internal */
  readonly schema: TableSchema
  readonly #where: string
  readonly #key: readonly Column[]
  readonly #columns: readonly Column[]
  readonly #keyNames: ReadonlySet<string>
  readonly #columnNames: ReadonlySet<string>
  readonly #keyOf: KeyOf
  readonly #valuesOf: ValuesOf | null
  readonly #ttl: number | TtlOf | null

  /** @internal */
  constructor(
    options: CassandraTableOptions<
      K,
      V,
      CassandraColumns<ScalarType>,
      CassandraColumns<ScalarType>,
      CassandraColumns
    >,
  ) {
    checkOptions('cassandra.table', (options as typeof options | undefined) ?? null, OPTIONS)
    const { name, key, map, ttlSeconds, with: properties = {} } = options
    if (typeof name !== 'string' || !TABLE_NAME.test(name))
      throw new TopologyError(
        `cassandra.table: name is ${shownValue(name)}; allowed are up to 48 letters, digits and underscores`,
      )
    const where = `cassandra.table ${name}`
    const partitionKey = columnsOf(where, 'partitionKey', options.partitionKey)
    const clusteringKey = columnsOf(where, 'clusteringKey', options.clusteringKey ?? {})
    const columns = columnsOf(where, 'columns', options.columns ?? {})
    if (partitionKey.length === 0)
      throw new TopologyError(`${where}: partitionKey is empty; allowed is at least one column`)
    checkKeyTypes(where, [...partitionKey, ...clusteringKey])
    checkNames(where, [...partitionKey, ...clusteringKey, ...columns])
    if (key !== undefined) checkFunction(where, 'key', key)
    if (map !== undefined) checkFunction(where, 'map', map)
    else if (columns.length > 0)
      throw new TopologyError(`${where}: map is not given, which makes a record the values of its columns`)
    if (typeof ttlSeconds !== 'function' && ttlSeconds !== undefined) checkTtl(where, ttlSeconds)
    this.name = name
    this.schema = {
      name,
      partitionKey: partitionKey.map(definitionOf),
      clusteringKey: clusteringColumns(where, clusteringKey, options.clusteringOrder ?? {}),
      columns: columns.map(definitionOf),
      hasTtl: ttlSeconds !== undefined,
      options: tableOptions(where, properties),
    }
    this.#where = where
    this.#key = [...partitionKey, ...clusteringKey]
    this.#columns = columns
    this.#keyNames = new Set(this.#key.map((column) => column.name))
    this.#columnNames = new Set(columns.map((column) => column.name))
    this.#keyOf = (key as KeyOf | undefined) ?? defaultKey(this.#key)
    this.#valuesOf = (map as ValuesOf | undefined) ?? null
    this.#ttl = (ttlSeconds as number | TtlOf | undefined) ?? null
  }

  /**
   * The values of the key's columns, as they are bound. Null: the record has no row.
   *
   * @internal
   * @throws what `key` throws; TypeError for what is no key
   */
  keyOf(record: AnyRecord): unknown[] | null {
    if (record.key === null) return null
    const key = this.#keyOf(record.key, record)
    if (key === null || key === undefined) return null
    const values = boundValues(`${this.#where}: key`, key, this.#key, this.#keyNames)
    const missing = this.#key.find((_, index) => values[index] === null)
    if (missing !== undefined) throw new TypeError(`${this.#where}: key: ${missing.name} has no value`)
    return values
  }

  /**
   * The values of the other columns, as they are bound. Null: the row is deleted.
   *
   * @internal
   * @throws what `map` throws; TypeError for what are no values
   */
  valuesOf(record: AnyRecord): unknown[] | null {
    const { value } = record
    if (value === null || value === undefined) return null
    if (this.#valuesOf === null) return []
    const values = this.#valuesOf(record.key, value, record)
    if (values === null || values === undefined) return null
    return boundValues(`${this.#where}: map`, values, this.#columns, this.#columnNames)
  }

  /**
   * Of a row that is not deleted; 0: for ever.
   *
   * @internal
   * @throws what `ttlSeconds` throws; RangeError
   */
  ttlOf(record: AnyRecord): number {
    if (typeof this.#ttl !== 'function') return this.#ttl ?? 0
    const seconds = this.#ttl(record.key, record.value, record)
    if (seconds === null) return 0
    if (!isTtl(seconds)) throw new RangeError(`${this.#where}: ${ttlMessage(seconds)}`)
    return seconds
  }
}

function columnsOf(where: string, what: string, columns: unknown): Column[] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns))
    throw new TopologyError(
      `${where}: ${what} must be an object of columns and their types, not ${kindOf(columns)}`,
    )
  return Object.entries(columns).map(([name, type]) => {
    if (!TABLE_NAME.test(name))
      throw new TopologyError(
        `${where}: ${what} has column ${JSON.stringify(name)}; allowed are up to 48 letters, digits and underscores`,
      )
    const parsed = parseType(type)
    if (parsed === null && typeof type === 'string' && type.startsWith('list<'))
      throw new TopologyError(
        `${where}: column ${name} is a ${type}, which has its elements twice when it is written twice: take frozen<${type}>`,
      )
    if (parsed === null)
      throw new TopologyError(
        `${where}: column ${name} has type ${shownValue(type)}; allowed: ${SCALAR_TYPES.join(', ')}, set<...> and map<..., ...> of these, frozen<...> of those and of list<...>`,
      )
    return { name, type: parsed.cql, encode: parsed.encode }
  })
}

function checkKeyTypes(where: string, key: readonly Column[]): void {
  const wrong = key.find(({ type }) => type.includes('<'))
  if (wrong !== undefined)
    throw new TopologyError(`${where}: key column ${wrong.name} is a ${wrong.type}; a key has no collections`)
}

function checkNames(where: string, columns: readonly Column[]): void {
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new TopologyError(`${where}: column ${twice} is given twice`)
}

function clusteringColumns(
  where: string,
  columns: readonly Column[],
  orders: object,
): ClusteringColumnDefinition[] {
  checkOptions(
    `${where}: clusteringOrder`,
    orders,
    columns.map(({ name }) => name),
  )
  const given = orders as Readonly<Record<string, unknown>>
  return columns.map((column) => {
    const order = given[column.name] ?? 'asc'
    if (order !== 'asc' && order !== 'desc')
      throw new TopologyError(
        `${where}: clusteringOrder of ${column.name} is ${shownValue(order)}; allowed: asc, desc`,
      )
    return { ...definitionOf(column), order }
  })
}

/** @throws TopologyError */
export function tableOptions(where: string, properties: object): TableSchema['options'] {
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    throw new TopologyError(`${where}: with must be an object of table properties, not ${kindOf(properties)}`)
  for (const [name, value] of Object.entries(properties)) {
    if (!/^[a-z_]+$/.test(name))
      throw new TopologyError(
        `${where}: with has property ${JSON.stringify(name)}; properties are lower case`,
      )
    const values: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [value]
    for (const one of values) {
      if (typeof one !== 'boolean' && typeof one !== 'string' && !Number.isFinite(one))
        throw new TopologyError(
          `${where}: with: ${name} is ${shownValue(one)}; allowed are text, numbers, true, false, and an object of these`,
        )
    }
  }
  return properties as TableSchema['options']
}

function definitionOf({ name, type }: Column): ColumnDefinition {
  return { name, type }
}

export function isTtl(seconds: unknown): seconds is number {
  return Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= TTL_SECONDS_MAX
}

/** For what is none. */
export function ttlMessage(seconds: unknown): string {
  return `ttlSeconds is ${shownValue(seconds)}; allowed is a whole number from 0 (never) to ${TTL_SECONDS_MAX}`
}

function checkTtl(where: string, seconds: unknown): void {
  if (!isTtl(seconds)) throw new TopologyError(`${where}: ${ttlMessage(seconds)}`)
}

/** The record's own key. */
function defaultKey(columns: readonly Column[]): (key: unknown) => unknown {
  if (columns.length > 1) return (key) => key
  const { name } = columns[0]!
  return (key) => (isPlainObject(key) ? key : { [name]: key })
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
}

/** @returns null for a column that has no value. @throws TypeError */
function boundValues(
  where: string,
  given: unknown,
  columns: readonly Column[],
  names: ReadonlySet<string>,
): unknown[] {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`${where} gave ${shownValue(given)}; expected is an object of columns`)
  const row = given as Readonly<Record<string, unknown>>
  for (const name in row)
    if (!names.has(name))
      throw new TypeError(`${where} gave column ${name}; there are ${[...names].join(', ')}`)
  return columns.map(({ name, encode }) => {
    const value = row[name]
    if (value === null || value === undefined) return null
    try {
      return encode(value)
    } catch (error) {
      throw new TypeError(`${where}: ${name}: ${(error as Error).message}`)
    }
  })
}
