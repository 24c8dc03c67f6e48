import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { PrefetchingStore } from './prefetch.ts'
import { presenceSerde } from './presence-serde.ts'
import { RowCodec } from './row-codec.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import type { StoreIterator, TieredKeyValueStore } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { StoreTier } from './store-tier.ts'
import { localRow, TieredRows } from './tiered-rows.ts'
import type { CacheEntry } from './value-cache.ts'

/** What Cassandra takes as a partition's key. */
const KEY_BYTES_MAX = 65_535

/** A row on its way from the second tier. */
interface Loading {
  readonly done: Promise<unknown>
  /** The key was put meanwhile, or everything forgotten: what comes is not to be kept. */
  isOvertaken: boolean
}

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
  readonly #keyWriter = new ByteWriter(256)
  /** By their keys, as latin1. */
  readonly #loading = new Map<string, Loading>()

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.lowerIndex = environment.lowerIndex!
    this.#environment = environment
    this.#reads = environment.tierReads ?? { disk: 0, cassandra: 0 }
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
  connect(tier: StoreTier): void {
    this.#rows.tier = tier
  }

  get(key: K): V | null {
    const entry = this.cache.expected(key) ?? this.#local(key)
    if (entry !== undefined) return entry.value as V | null
    if (this.#rows.tier === null) return null
    throw new Error(
      `store ${this.name}: a row is not here, but in Cassandra: key the records by it and name the store in readsByKey, or call load() in the process() of an async processor`,
    )
  }

  put(key: K, value: V | null): void {
    const { cache } = this
    let entry = cache.expected(key)
    if (entry === undefined || this.#loading.size > 0) {
      const { buffer, position } = this.#serialized(key)
      entry = this.#rows.toPut(buffer, 0, position, this.#shared(key))
      const loading = this.#loading.get(buffer.latin1Slice(0, position))
      if (loading !== undefined) loading.isOvertaken = true
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
    if (this.#rows.tier === null) return null
    const { buffer, position } = this.#serialized(key)
    return (await this.#load(Buffer.from(buffer.subarray(0, position)))) as V | null
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
    if (this.#rows.tier === null) return null
    const own = this.#ownKey(bytes, start, end)
    if (own === undefined) return null
    const { length } = own.bytes
    const isSame = bytes.compare(own.bytes, 0, length, start, end) === 0
    // Under other bytes the database was not asked yet.
    const known = isSame
      ? this.cache.find(own.bytes, 0, length)
      : this.#rows.local(own.bytes, 0, length, this.#shared(own.key))
    if (known !== undefined) return null
    // Whoever reads it is told.
    return this.#load(own.bytes).catch(() => {})
  }

  discard(): void {
    for (const loading of this.#loading.values()) loading.isOvertaken = true
    this.#rows.tier?.discard()
    this.#rows.discard()
  }

  close(): void {
    this.discard()
    this.#rows.tier?.close()
    this.#rows.close()
  }

  closeScans(): void {}

  #load(key: Buffer): Promise<unknown> {
    const id = key.toString('latin1')
    const present = this.#loading.get(id)
    if (present !== undefined) return present.done
    const loading: Loading = { isOvertaken: false, done: this.#arrival(key, () => loading.isOvertaken) }
    this.#loading.set(id, loading)
    // Not in a finally of the arrival: that could come before it is in the map.
    const ended = (): void => {
      this.#loading.delete(id)
    }
    loading.done.then(ended, ended)
    return loading.done
  }

  async #arrival(key: Buffer, isOvertaken: () => boolean): Promise<unknown> {
    const row = localRow(await this.#rows.tier!.read(key))
    this.#reads.cassandra++
    const { awaits } = this.#codec
    await awaits?.(row, 0, row.length)
    const known = this.cache.find(key, 0, key.length)
    if (known !== undefined) return known.value
    if (isOvertaken()) return this.#codec.value(row, 0, row.length)
    const own = this.#ownKey(key, 0, key.length)!
    return this.#rows.arrive(key, this.#shared(own.key), row).value
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
