import { type OperationCounter, StoreCounters } from '../observe/store-counters.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { PrefetchingStore } from './prefetch.ts'
import { presenceSerde } from './presence-serde.ts'
import { RowCodec } from './row-codec.ts'
import { type LoadingRow, RowLoads } from './row-loads.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import type { StoreIterator, TieredKeyValueStore } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { RowTier, StoreTier } from './store-tier.ts'
import { localRow, TieredRows } from './tiered-rows.ts'
import type { CacheEntry } from './value-cache.ts'

/** What Cassandra takes as a partition's key. */
const KEY_BYTES_MAX = 65_535

/**
 * A key-value store of which the task's database has a part, and Cassandra everything: decoded cache, then what was put, then what was loaded, then Cassandra. Reads are
 * synchronous: rows that a batch reads by its records' keys are loaded before it is processed, others by `load`.
 */
export class TieredStore<K, V> implements TieredKeyValueStore<K, V>, StateStore, PrefetchingStore {
  readonly name: string
  readonly lowerIndex: number
  readonly openScans: ReadonlySet<StoreIterator<unknown, unknown>> = new Set()
  readonly pendingChanges = NO_CHANGES
  readonly #environment: StoreEnvironment
  readonly #keySerde: Serde<K>
  readonly #primitiveKeys: boolean
  readonly #codec: RowCodec
  readonly #rows: TieredRows
  readonly #reads: { disk: number; cassandra: number }
  readonly #operations: StoreCounters
  readonly #keyWriter = new ByteWriter(256)
  /** null: there is no second tier. */
  #loads: RowLoads | null = null

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.lowerIndex = environment.lowerIndex!
    this.#environment = environment
    this.#reads = environment.tierReads ?? { disk: 0, cassandra: 0 }
    this.#operations = environment.operations ?? new StoreCounters()
    this.#keySerde = definition.key as Serde<K>
    this.#primitiveKeys = definition.key.primitive === true
    this.#codec = new RowCodec(presenceSerde(definition.value), true)
    this.#rows = new TieredRows(definition.name, environment, this.lowerIndex, this.#codec)
  }

  get cache(): TieredRows['cache'] {
    return this.#rows.cache
  }

  get tier(): StoreTier | null {
    return this.#rows.tier
  }

  /** From now on rows that are not here are there, or nowhere. Without one, what is not here is nowhere. */
  connect(tier: RowTier): void {
    this.#rows.tier = tier
    this.#loads = new RowLoads(tier, (row, came) => this.#arrive(row, localRow(came)))
  }

  get(key: K): V | null {
    const { get } = this.#operations
    return get.begins() ? this.#getTimed(key) : this.#get(key)
  }

  /** Apart, so that the usual way has no closure. */
  #getTimed(key: K): V | null {
    return this.#operations.get.time(() => this.#get(key))
  }

  #get(key: K): V | null {
    const entry = this.cache.expected(key) ?? this.#local(key)
    if (entry !== undefined) return entry.value as V | null
    if (this.#rows.tier === null) return null
    throw new Error(
      `store ${this.name}: a row is not here, but in Cassandra: key the records by it and name the store in readsByKey, or call load() in the process() of an async processor`,
    )
  }

  put(key: K, value: V | null): void {
    const operation = value === null ? this.#operations.delete : this.#operations.put
    if (operation.begins()) this.#putTimed(operation, key, value)
    else this.#put(key, value)
  }

  #putTimed(operation: OperationCounter, key: K, value: V | null): void {
    operation.time(() => this.#put(key, value))
  }

  #put(key: K, value: V | null): void {
    const { cache } = this
    let entry = cache.expected(key)
    const loads = this.#loads
    if (entry === undefined || loads?.isEmpty === false) {
      const { buffer, position } = this.#serialized(key)
      entry = this.#rows.toPut(buffer, 0, position, this.#shared(key))
      if (loads?.isEmpty === false) loads.overtake(buffer.latin1Slice(0, position))
    }
    this.#rows.put(entry, value ?? null, this.#environment.recordTimestamp())
  }

  putIfAbsent(key: K, value: V): V | null {
    const present = this.get(key)
    if (present === null) this.put(key, value)
    return present
  }

  delete(key: K): V | null {
    const present = this.get(key)
    this.put(key, null)
    return present
  }

  async load(key: K): Promise<V | null> {
    const entry = this.cache.expected(key) ?? this.#local(key)
    if (entry !== undefined) return entry.value as V | null
    if (this.#loads === null) return null
    const { buffer, position } = this.#serialized(key)
    const row = this.#loads.load(Buffer.from(buffer.subarray(0, position)), this.#shared(key))
    await row.done
    if (row.error !== null) throw row.error
    return row.value as V | null
  }

  range(): never {
    throw this.#noScan('range')
  }

  reverseRange(): never {
    throw this.#noScan('reverseRange')
  }

  all(): never {
    throw this.#noScan('all')
  }

  reverseAll(): never {
    throw this.#noScan('reverseAll')
  }

  prefixScan(): never {
    throw this.#noScan('prefixScan')
  }

  approximateEntryCount(): never {
    throw this.#noScan('approximateEntryCount')
  }

  flushChanges(): boolean {
    return true
  }

  flush(): void {
    this.#rows.flush()
  }

  pin(): number {
    return this.#rows.pin()
  }

  get rowAwaits(): PrefetchingStore['rowAwaits'] {
    return this.#codec.awaits
  }

  accept(
    bytes: Buffer,
    start: number,
    end: number,
    rows: Buffer,
    rowStart: number,
    rowLength: number,
  ): CacheEntry | undefined {
    const known = this.cache.find(bytes, start, end)
    if (known !== undefined) return known
    // What was to be loaded and could not be is met again, with its offset, when its turn comes.
    if (rowLength < 0 && this.#rows.tier !== null) return undefined
    const own = this.#ownKey(bytes, start, end)
    if (own === undefined || bytes.compare(own.bytes, 0, own.bytes.length, start, end) !== 0) return undefined
    this.#reads.disk++
    return this.#rows.add(bytes, start, end, this.#shared(own.key), rows, rowStart, rowLength)
  }

  loadAbsent(bytes: Buffer, start: number, end: number): Promise<unknown> | null {
    if (this.#loads === null) return null
    const own = this.#ownKey(bytes, start, end)
    if (own === undefined) return null
    const { length } = own.bytes
    const isSame = bytes.compare(own.bytes, 0, length, start, end) === 0
    // Under other bytes the database was not asked yet.
    const known = isSame
      ? this.cache.find(own.bytes, 0, length)
      : this.#rows.local(own.bytes, 0, length, this.#shared(own.key))
    if (known !== undefined) return null
    // Of what does not come whoever reads it is told.
    return this.#loads.load(own.bytes, this.#shared(own.key)).done
  }

  discard(): void {
    this.#loads?.forget()
    this.#rows.tier?.discard()
    this.#rows.discard()
  }

  close(): void {
    this.discard()
    this.#rows.tier?.close()
    this.#rows.close()
  }

  closeScans(): void {}

  #arrive(row: LoadingRow, came: Buffer): Promise<void> | null {
    this.#reads.cassandra++
    const awaited = this.#codec.awaits?.(came, 0, came.length) ?? null
    const take = (): void => {
      row.value = this.#taken(row, came)
    }
    if (awaited !== null) return awaited.then(take)
    take()
    return null
  }

  #taken({ key, sharedKey, isOvertaken }: LoadingRow, came: Buffer): unknown {
    const known = this.cache.find(key, 0, key.length)
    if (known !== undefined) return known.value
    if (isOvertaken) return this.#codec.value(came, 0, came.length)
    return this.#rows.arrive(key, sharedKey, came).value
  }

  #local(key: K): CacheEntry | undefined {
    const { buffer, position } = this.#serialized(key)
    return this.#rows.local(buffer, 0, position, this.#shared(key))
  }

  /** The key that a record's bytes stand for, and as this store writes it; undefined when they are none. */
  #ownKey(
    bytes: Buffer,
    start: number,
    end: number,
  ): { readonly key: K; readonly bytes: Buffer } | undefined {
    try {
      const key = this.#keySerde.deserialize(bytes, start, end)
      if (this.#primitiveKeys) return { key, bytes: Buffer.from(bytes.subarray(start, end)) }
      const { buffer, position } = this.#serialized(key)
      return { key, bytes: Buffer.from(buffer.subarray(0, position)) }
    } catch {
      // It is met again, with its offset, when its turn comes.
      return undefined
    }
  }

  /** What a cached row may keep of a key: an object could be changed by those that it was handed to. */
  #shared(key: K): K | undefined {
    return this.#primitiveKeys ? key : undefined
  }

  /** The writer with the key, alone. */
  #serialized(key: K): ByteWriter {
    if (key === null || key === undefined)
      throw new TypeError(`store ${this.name}: the key must not be ${key}`)
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    if (writer.position === 0 || writer.position > KEY_BYTES_MAX)
      throw new RangeError(
        `store ${this.name}: a key has ${writer.position} bytes; Cassandra takes from 1 to ${KEY_BYTES_MAX}`,
      )
    return writer
  }

  #noScan(method: string): Error {
    return new TypeError(
      `${method} of store ${this.name}: a tiered store has a part of its rows here; only single keys can be asked for`,
    )
  }
}
