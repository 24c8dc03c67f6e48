import type { RecordOrigin } from '../process/record-origin.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { RowScan } from './row-scan.ts'
import { ScanCursors } from './scan-cursors.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import type { StoreIterator } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import {
  type ByteText,
  readSuppressedChange,
  type SuppressedChange,
  writeSuppressedChange,
} from './suppress-row.ts'
import { ValueCache } from './value-cache.ts'

const NO_SCANS: ReadonlySet<StoreIterator<unknown, unknown>> = new Set()

/** A change under its key, at its place in time. */
interface Waiting extends SuppressedChange {
  readonly key: ByteText
  /** Where it stands in the order: that of the key's first change. */
  readonly timeMs: number
  /** As Kafka Streams counts them. */
  bytes: number
}

/** The first change, decoded. */
export interface WaitingChange<K, V> {
  readonly key: K
  readonly newValue: V | null
  readonly oldValue: V | null
  readonly origin: RecordOrigin
}

/**
 * Changes that wait to be forwarded, one for each key, in order of time and then of the key's bytes. A later change of a key takes the place of the
 * earlier one, at its time. Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer.
 *
 * All of them are in memory, serialised. What has changed is written at a commit: a row for each key that waits. They are read back when the
 * buffer is first used. Without a changelog nothing is written.
 */
export class SuppressBuffer<K, V> implements StateStore {
  readonly name: string
  readonly cache: ValueCache
  readonly openScans = NO_SCANS
  readonly pendingChanges = NO_CHANGES
  readonly #environment: StoreEnvironment
  readonly #keySerde: Serde<K>
  readonly #valueSerde: Serde<V>
  readonly #logging: boolean
  readonly #cursors: ScanCursors
  readonly #writer = new ByteWriter(256)
  readonly #byKey = new Map<ByteText, Waiting>()
  /** A heap, the first at 0. */
  readonly #order: Waiting[] = []
  readonly #dirty = new Set<ByteText>()
  #bytes = 0
  #dirtyBytes = 0
  #isLoaded = false

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.#environment = environment
    this.#keySerde = definition.key as Serde<K>
    this.#valueSerde = definition.value as Serde<V>
    this.#logging = definition.logging
    this.#cursors = new ScanCursors(environment.database, environment.index)
    this.cache = new ValueCache(environment.budget, () => {
      throw new Error(`store ${this.name}: it has no cached rows`)
    })
  }

  /** How many changes wait. */
  get size(): number {
    this.#load()
    return this.#byKey.size
  }

  /** What they take, as Kafka Streams counts it: keys, values and contexts, serialised. */
  get bytes(): number {
    this.#load()
    return this.#bytes
  }

  /** The first change's time, ms; Infinity when none waits. */
  get firstTimeMs(): number {
    this.#load()
    return this.#order[0]?.timeMs ?? Infinity
  }

  /** What a commit would write. */
  get uncommittedBytes(): number {
    return this.#dirtyBytes
  }

  /** @param timeMs of a key that does not wait yet @param origin is kept */
  put(key: K, newValue: V | null, oldValue: V | null, timeMs: number, origin: RecordOrigin): void {
    this.#load()
    const keyText = this.#text(this.#keySerde, key)
    const oldText = oldValue === null ? null : this.#text(this.#valueSerde, oldValue)
    const newText = newValue === null ? null : this.#text(this.#valueSerde, newValue)
    let waiting = this.#byKey.get(keyText)
    if (waiting === undefined) {
      waiting = {
        key: keyText,
        timeMs,
        prior: oldText,
        oldValue: oldText,
        newValue: newText,
        origin,
        bytes: 0,
      }
      waiting.bytes = sizeOf(waiting)
      this.#add(waiting)
    } else {
      waiting.oldValue = oldText
      waiting.newValue = newText
      waiting.origin = origin
      const bytes = sizeOf(waiting)
      this.#bytes += bytes - waiting.bytes
      waiting.bytes = bytes
    }
    this.#changed(waiting)
  }

  /** REQUIRES one that waits. */
  first(): WaitingChange<K, V> {
    const { key, newValue, oldValue, origin } = this.#order[0]!
    return {
      key: this.#value(this.#keySerde, key),
      newValue: newValue === null ? null : this.#value(this.#valueSerde, newValue),
      oldValue: oldValue === null ? null : this.#value(this.#valueSerde, oldValue),
      origin,
    }
  }

  /** REQUIRES one that waits. */
  removeFirst(): void {
    const first = takeFirst(this.#order)!
    this.#byKey.delete(first.key)
    this.#bytes -= first.bytes
    this.#changed(first)
  }

  /** What those below have seen of a key that waits, null for nothing; undefined when it does not wait. */
  prior(key: K): V | null | undefined {
    this.#load()
    const waiting = this.#byKey.get(this.#text(this.#keySerde, key))
    if (waiting === undefined) return undefined
    return waiting.prior === null ? null : this.#value(this.#valueSerde, waiting.prior)
  }

  closeScans(): void {}

  flushChanges(): boolean {
    return true
  }

  flush(): void {
    if (this.#dirty.size === 0) return
    const { overlayWriter, database, index, onOverlayBytes, systemTimeMs = Date.now } = this.#environment
    const { writer } = overlayWriter
    // Kafka Streams leaves the time to the producer.
    const nowMs = systemTimeMs()
    let overlayBytes = 0
    for (const key of this.#dirty) {
      const waiting = this.#byKey.get(key)
      overlayWriter.beginRow()
      writer.writeLatin1(key)
      overlayWriter.endKey()
      if (waiting !== undefined) writeSuppressedChange(waiting, waiting.timeMs, writer)
      overlayWriter.endRow(waiting !== undefined, nowMs)
      if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
    }
    overlayBytes = overlayWriter.apply(database, index)
    this.#dirty.clear()
    this.#dirtyBytes = 0
    onOverlayBytes(overlayBytes)
  }

  discard(): void {
    this.#byKey.clear()
    this.#order.length = 0
    this.#dirty.clear()
    this.#bytes = 0
    this.#dirtyBytes = 0
    this.#isLoaded = false
  }

  close(): void {
    this.discard()
    this.cache.close()
  }

  /** Reads what was written: once, when the state has been restored. */
  #load(): void {
    if (this.#isLoaded) return
    this.#isLoaded = true
    using rows = new RowScan<ByteText, ReturnType<typeof readSuppressedChange>>(
      this.#cursors,
      { from: null, to: null },
      false,
      (buffer, keyStart, keyEnd, valueStart, valueEnd) => ({
        key: buffer.latin1Slice(keyStart, keyEnd),
        value: readSuppressedChange(buffer, valueStart, valueEnd),
      }),
      () => {},
    )
    for (const { key, value } of rows) {
      const waiting = { key, timeMs: value.timeMs, ...value.change, bytes: 0 }
      waiting.bytes = sizeOf(waiting)
      this.#add(waiting)
    }
  }

  #add(waiting: Waiting): void {
    this.#byKey.set(waiting.key, waiting)
    this.#bytes += waiting.bytes
    addInOrder(this.#order, waiting)
  }

  #changed({ key, bytes }: Waiting): void {
    if (!this.#logging || this.#dirty.has(key)) return
    this.#dirty.add(key)
    this.#dirtyBytes += bytes
  }

  #text<T>(serde: Serde<T>, value: T): ByteText {
    const writer = this.#writer
    writer.reset()
    serde.serialize(value, writer)
    return writer.buffer.latin1Slice(0, writer.position)
  }

  #value<T>(serde: Serde<T>, text: ByteText): T {
    const writer = this.#writer
    writer.reset()
    writer.writeLatin1(text)
    return serde.deserialize(writer.buffer, 0, writer.position)
  }
}

/** Kafka Streams' computeRecordSize: its bounds count the same bytes. */
function sizeOf({ key, prior, oldValue, newValue, origin }: Waiting): number {
  let bytes = 8 + key.length + (prior?.length ?? 0) + (newValue?.length ?? 0)
  if (oldValue !== prior) bytes += oldValue?.length ?? 0
  // The record's timestamp, offset and partition.
  bytes += 8 + 8 + 4 + origin.topic.length
  for (const { key: name, value } of origin.headers) bytes += name.length + (value?.length ?? 0)
  return bytes
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.key < other.key)
}

function addInOrder(heap: Waiting[], waiting: Waiting): void {
  let at = heap.length
  heap.push(waiting)
  while (at > 0) {
    const parent = (at - 1) >>> 1
    if (!isBefore(waiting, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = waiting
}

function takeFirst(heap: Waiting[]): Waiting | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  const half = heap.length >>> 1
  let at = 0
  while (at < half) {
    let child = 2 * at + 1
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}
