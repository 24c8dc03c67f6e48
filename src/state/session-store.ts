import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { SegmentedStore } from './segmented-store.ts'
import { SESSION_SUFFIX_BYTES } from './segments.ts'
import type { SessionStore, StoreIterator, Window, Windowed } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'

/** A session store, in RocksDB or in memory; a session is kept by its end. Kafka Streams' RocksDBSessionStore and InMemorySessionStore. */
export class RocksDbSessionStore<K, V> extends SegmentedStore<K, V> implements SessionStore<K, V> {
  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    super(definition, environment, SESSION_SUFFIX_BYTES)
  }

  put(session: Windowed<K>, aggregate: V | null): void {
    const { key, window } = session
    this.checkKey(key)
    this.checkTime("the session's start", window.start)
    this.checkTime("the session's end", window.end)
    if (window.start > window.end) {
      throw new RangeError(
        `store ${this.name}: a session must not start (${window.start}) after its end (${window.end})`,
      )
    }
    this.write(key, window.end, window.start, aggregate ?? null, this.environment.recordTimestamp())
  }

  remove(session: Windowed<K>): void {
    this.put(session, null)
  }

  fetchSession(key: K, start: number, end: number): V | null {
    this.checkKey(key)
    this.checkTime("the session's start", start)
    this.checkTime("the session's end", end)
    const entry = this.read(key, end, start)
    return entry === null || entry.value === null ? null : (entry.value as V)
  }

  findSessions(earliestEnd: number, latestEnd: number): StoreIterator<Windowed<K>, V>
  findSessions(key: K, earliestEnd: number, latestStart: number): StoreIterator<Windowed<K>, V>
  findSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): StoreIterator<Windowed<K>, V>
  findSessions(
    key: K | number | null,
    second: K | number | null,
    third?: number,
    fourth?: number,
  ): StoreIterator<Windowed<K>, V> {
    if (third === undefined)
      return this.scanAll(key as number, second as number, false, this.#sessionRow, this.segments.liveFromMs)
    return this.#find(key as K | null, second, third, fourth, false)
  }

  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): StoreIterator<Windowed<K>, V>
  backwardFindSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): StoreIterator<Windowed<K>, V>
  backwardFindSessions(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth?: number,
  ): StoreIterator<Windowed<K>, V> {
    return this.#find(key, second, third, fourth, true)
  }

  fetch(key: K): StoreIterator<Windowed<K>, V>
  fetch(keyFrom: K | null, keyTo: K | null): StoreIterator<Windowed<K>, V>
  fetch(key: K | null, keyTo?: K | null): StoreIterator<Windowed<K>, V> {
    return keyTo === undefined
      ? this.#findOfKey(key as K, 0, Number.MAX_SAFE_INTEGER, false)
      : this.#findOfKeys(key, keyTo, 0, Number.MAX_SAFE_INTEGER, false)
  }

  backwardFetch(key: K): StoreIterator<Windowed<K>, V>
  backwardFetch(keyFrom: K | null, keyTo: K | null): StoreIterator<Windowed<K>, V>
  backwardFetch(key: K | null, keyTo?: K | null): StoreIterator<Windowed<K>, V> {
    return keyTo === undefined
      ? this.#findOfKey(key as K, 0, Number.MAX_SAFE_INTEGER, true)
      : this.#findOfKeys(key, keyTo, 0, Number.MAX_SAFE_INTEGER, true)
  }

  protected override writeSuffix(end: number, start: number, writer: ByteWriter): void {
    writer.writeInt64(end)
    writer.writeInt64(start)
  }

  protected override timeOf({ end }: Window): number {
    return end
  }

  protected override restOf({ start }: Window): number {
    return start
  }

  protected override windowOf(end: number, start: number): Window {
    return { start, end }
  }

  protected override view(value: unknown): V {
    return value as V
  }

  #find(
    key: K | null,
    second: K | number | null,
    third: number,
    fourth: number | undefined,
    reverse: boolean,
  ): StoreIterator<Windowed<K>, V> {
    return fourth === undefined
      ? this.#findOfKey(key as K, second as number, third, reverse)
      : this.#findOfKeys(key, second as K | null, third, fourth, reverse)
  }

  #findOfKey(
    key: K,
    earliestEnd: number,
    latestStart: number,
    reverse: boolean,
  ): StoreIterator<Windowed<K>, V> {
    return this.scanKey(
      key,
      earliestEnd,
      Number.MAX_SAFE_INTEGER,
      reverse,
      this.#sessionRow,
      startsUpTo(latestStart),
    )
  }

  #findOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
    reverse: boolean,
  ): StoreIterator<Windowed<K>, V> {
    return this.scanKeys(
      keyFrom,
      keyTo,
      earliestEnd,
      Number.MAX_SAFE_INTEGER,
      reverse,
      this.#sessionRow,
      startsUpTo(latestStart),
    )
  }

  readonly #sessionRow = (
    arena: Buffer,
    keyStart: number,
    suffix: number,
    value: V,
  ): { key: Windowed<K>; value: V } => {
    const window = { start: readInt64(arena, suffix + 8), end: readInt64(arena, suffix) }
    return { key: this.windowed(arena, keyStart, suffix, window), value }
  }
}

function startsUpTo(latestStart: number): (arena: Buffer, keyStart: number, suffix: number) => boolean {
  return (arena, _keyStart, suffix) => readInt64(arena, suffix + 8) <= latestStart
}
