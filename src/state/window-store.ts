import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import { timeWindowEnd } from '../serde/windowed.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { SegmentedStore } from './segmented-store.ts'
import { WINDOW_SUFFIX_BYTES } from './segments.ts'
import type {
  StoreIterator,
  TimestampedWindowStore,
  ValueAndTimestamp,
  Window,
  Windowed,
  WindowStore,
  WindowStoreIterator,
} from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'

const EVERY_ROW = (): boolean => true

/**
 * A window store, in RocksDB or in memory. Kafka Streams' RocksDBWindowStore and InMemoryWindowStore.
 *
 * Subclasses say what of a cached row the store's users see.
 */
abstract class RocksDbWindowStore<K, V> extends SegmentedStore<K, V> implements WindowStore<K, V> {
  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    super(definition, environment, WINDOW_SUFFIX_BYTES)
  }

  abstract put(key: K, value: V | null, windowStart: number): void

  fetch(key: K, windowStart: number): V | null
  fetch(key: K, from: number, to: number): WindowStoreIterator<V>
  fetch(keyFrom: K | null, keyTo: K | null, from: number, to: number): StoreIterator<Windowed<K>, V>
  fetch(key: K | null, second: K | number | null, third?: number, fourth?: number): unknown {
    if (third === undefined) return this.#fetchOne(key as K, second as number)
    return this.#fetchRange(key, second, third, fourth, false)
  }

  backwardFetch(key: K, from: number, to: number): WindowStoreIterator<V>
  backwardFetch(keyFrom: K | null, keyTo: K | null, from: number, to: number): StoreIterator<Windowed<K>, V>
  backwardFetch(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth?: number,
  ): StoreIterator<never, V> {
    return this.#fetchRange(key, second, third, fourth, true)
  }

  all(): StoreIterator<Windowed<K>, V> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER)
  }

  backwardAll(): StoreIterator<Windowed<K>, V> {
    return this.backwardFetchAll(0, Number.MAX_SAFE_INTEGER)
  }

  fetchAll(from: number, to: number): StoreIterator<Windowed<K>, V> {
    return this.scanAll(from, to, false, this.#windowedRow)
  }

  backwardFetchAll(from: number, to: number): StoreIterator<Windowed<K>, V> {
    return this.scanAll(from, to, true, this.#windowedRow)
  }

  protected writeWindow(key: K, windowStart: number, value: unknown, timestamp: number): void {
    this.checkKey(key)
    this.checkTime("the window's start", windowStart)
    if (!this.windows.retainDuplicates) {
      this.write(key, windowStart, 0, value, timestamp)
    } else if (value !== null) {
      this.write(key, windowStart, this.segments.nextSequence(), value, timestamp)
    }
  }

  /** Where duplicates are retained this is the last one that was put, as in Kafka Streams; null for any other window. */
  protected readWindow(
    key: K,
    windowStart: number,
  ): { readonly value: unknown; readonly timestamp: number } | null {
    this.checkKey(key)
    if (!Number.isSafeInteger(windowStart)) this.checkTime("the window's start", windowStart)
    const entry = this.read(key, windowStart, this.windows.retainDuplicates ? this.segments.sequence : 0)
    return entry === null || entry.value === null ? null : entry
  }

  protected override writeSuffix(time: number, rest: number, writer: ByteWriter): void {
    writer.writeInt64(time)
    writer.writeInt32(rest)
  }

  protected override timeOf({ start }: Window): number {
    return start
  }

  protected override restOf(): number {
    return 0
  }

  protected override windowOf(start: number): Window {
    return { start, end: timeWindowEnd(start, this.windows.windowSizeMs) }
  }

  #fetchOne(key: K, windowStart: number): V | null {
    const row = this.readWindow(key, windowStart)
    return row === null ? null : this.view(row.value, row.timestamp)
  }

  #fetchRange(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth: number | undefined,
    reverse: boolean,
  ): StoreIterator<never, V> {
    const rows =
      fourth === undefined
        ? this.scanKey(key as K, second as number, third, reverse, this.#timedRow, EVERY_ROW)
        : this.scanKeys(key, second as K | null, third, fourth, reverse, this.#windowedRow, EVERY_ROW)
    return rows as StoreIterator<never, V>
  }

  readonly #timedRow = (
    arena: Buffer,
    _keyStart: number,
    suffix: number,
    value: V,
  ): { key: number; value: V } => ({
    key: readInt64(arena, suffix),
    value,
  })

  readonly #windowedRow = (
    arena: Buffer,
    keyStart: number,
    suffix: number,
    value: V,
  ): { key: Windowed<K>; value: V } => {
    const window = this.windowOf(readInt64(arena, suffix))
    return { key: this.windowed(arena, keyStart, suffix, window), value }
  }
}

/** Rows are the values' own bytes. Kafka Streams' WindowStore. */
export class PlainWindowStore<K, V> extends RocksDbWindowStore<K, V> {
  override put(key: K, value: V | null, windowStart: number): void {
    this.writeWindow(key, windowStart, value ?? null, this.environment.recordTimestamp())
  }

  protected override view(value: unknown): V {
    return value as V
  }
}

/** Rows carry the timestamp of the record that last changed them. Kafka Streams' TimestampedWindowStore. */
export class TimestampedRowsWindowStore<K, V>
  extends RocksDbWindowStore<K, ValueAndTimestamp<V>>
  implements TimestampedWindowStore<K, V>
{
  override put(key: K, row: ValueAndTimestamp<V> | null, windowStart: number): void {
    if (row === null || row === undefined) {
      this.writeWindow(key, windowStart, null, this.environment.recordTimestamp())
    } else {
      this.writeWindow(key, windowStart, row.value ?? null, row.timestamp)
    }
  }

  peek(key: K, windowStart: number): ValueAndTimestamp<V> | null {
    return this.readWindow(key, windowStart) as ValueAndTimestamp<V> | null
  }

  update(key: K, value: V | null, timestamp: number, windowStart: number): void {
    this.writeWindow(key, windowStart, value, timestamp)
  }

  protected override view(value: unknown, timestamp: number): ValueAndTimestamp<V> {
    return { value: value as V, timestamp }
  }
}
