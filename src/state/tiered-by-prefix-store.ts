import type { RecordBatch } from '../consume/record-batch.ts'
import { type OperationCounter, StoreCounters } from '../observe/store-counters.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import { type PrefixKeySerde, prefixFrame, prefixFrameBytes } from '../serde/prefix-key.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { RawRow } from './merged-scan.ts'
import type { PreparingStore } from './prefetch.ts'
import { PrefixLoads } from './prefix-loads.ts'
import { PrefixRows } from './prefix-rows.ts'
import { presenceSerde } from './presence-serde.ts'
import { RowCodec } from './row-codec.ts'
import { NO_CHANGES } from './state-store.ts'
import type { StoreIterator, TieredPrefixRow, TieredPrefixStore } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { PrefixTier, TieredStateStore } from './store-tier.ts'

/** What Cassandra takes as a column of a key. */
const KEY_BYTES_MAX = 65_535

/** The prefixes of a batch's records. */
interface HeldBatch {
  readonly generation: number
  /** By themselves, as latin1. */
  readonly frames: ReadonlyMap<string, Buffer>
}

/**
 * A store of which the task's database has a part, and Cassandra everything, whose keys are a prefix and a rest. Prefixes come as a whole, and stay until what is here is emptied; those of the
 * batches at hand are kept then. Reads are synchronous: the prefixes that are a batch's keys are loaded before it is processed, others by `load`.
 */
export class TieredByPrefixStore<P, R, V>
  implements TieredPrefixStore<P, R, V>, TieredStateStore, PreparingStore
{
  readonly name: string
  readonly pendingChanges = NO_CHANGES
  readonly #definition: StoreDefinition
  readonly #environment: StoreEnvironment
  readonly #lowerIndex: number
  readonly #prefixSerde: Serde<P>
  readonly #restSerde: Serde<R>
  readonly #codec: RowCodec
  readonly #rows: PrefixRows
  readonly #reads: { disk: number; cassandra: number }
  readonly #operations: StoreCounters
  readonly #keyWriter = new ByteWriter(256)
  readonly #openScans = new Set<StoreIterator<unknown, unknown>>()
  readonly #held = new Map<RecordBatch, HeldBatch>()
  #tier: PrefixTier | null = null
  /** Null: there is no second tier, and what is not here is not there. */
  #loads: PrefixLoads | null = null

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    const { prefix, rest } = definition.key as PrefixKeySerde<P, R>
    this.name = definition.name
    this.#definition = definition
    this.#environment = environment
    this.#lowerIndex = environment.lowerIndex!
    this.#reads = environment.tierReads ?? { disk: 0, cassandra: 0 }
    this.#operations = environment.operations ?? new StoreCounters()
    this.#prefixSerde = prefix
    this.#restSerde = rest
    this.#codec = new RowCodec(presenceSerde(definition.value), true)
    this.#rows = new PrefixRows(definition.name, environment, this.#lowerIndex, this.#codec)
  }

  get cache(): PrefixRows['cache'] {
    return this.#rows.cache
  }

  get tier(): PrefixTier | null {
    return this.#tier
  }

  connect(tier: PrefixTier): void {
    this.#tier = tier
    this.#rows.tier = tier
    this.#loads = new PrefixLoads({
      name: this.name,
      rows: this.#rows,
      tier,
      ...this.#definition.tier!.prefixes!,
      awaits: (row) => this.#awaits(row),
      onLoaded: () => this.#reads.cassandra++,
    })
  }

  get(prefix: P, rest: R): V | null {
    return this.#operations.get.begins() ? this.#getTimed(prefix, rest) : this.#get(prefix, rest)
  }

  /** Apart, so that the usual way has no closure. */
  #getTimed(prefix: P, rest: R): V | null {
    return this.#operations.get.time(() => this.#get(prefix, rest))
  }

  #get(prefix: P, rest: R): V | null {
    const { buffer, position } = this.#writeKey(prefix, rest)
    const entry = this.#rows.local(buffer, 0, position, undefined)
    if (entry !== undefined) return entry.value as V | null
    this.#checkWhole(buffer.subarray(0, prefixFrameBytes(buffer, 0, position)))
    return null
  }

  put(prefix: P, rest: R, value: V | null): void {
    const operation = value === null ? this.#operations.delete : this.#operations.put
    if (operation.begins()) this.#putTimed(operation, prefix, rest, value)
    else this.#put(prefix, rest, value)
  }

  #putTimed(operation: OperationCounter, prefix: P, rest: R, value: V | null): void {
    operation.time(() => this.#put(prefix, rest, value))
  }

  #put(prefix: P, rest: R, value: V | null): void {
    const { buffer, position } = this.#writeKey(prefix, rest)
    const timestamp = this.#environment.recordTimestamp()
    this.#rows.put(this.#rows.toPut(buffer, 0, position, undefined), value ?? null, timestamp)
    if (this.#loads === null || this.#loads.isEmpty) return
    const frame = buffer.subarray(0, prefixFrameBytes(buffer, 0, position))
    this.#loads.put(frame, buffer.subarray(0, position), () => {
      const writer = new ByteWriter(64)
      this.#codec.write(value ?? null, timestamp, writer)
      return writer.copyFrom(0)
    })
  }

  delete(prefix: P, rest: R): void {
    this.put(prefix, rest, null)
  }

  scan(prefix: P): StoreIterator<R, V> {
    return this.#scanned(() => this.#scan(prefix, false))
  }

  reverseScan(prefix: P): StoreIterator<R, V> {
    return this.#scanned(() => this.#scan(prefix, true))
  }

  #scanned(scan: () => StoreIterator<R, V>): StoreIterator<R, V> {
    const { prefixScan } = this.#operations
    return prefixScan.begins() ? prefixScan.time(scan) : scan()
  }

  async load(prefix: P): Promise<readonly TieredPrefixRow<R, V>[]> {
    const frame = this.#frame(prefix)
    if (this.#loads === null || this.#rows.isWhole(frame)) return [...this.#scan(prefix, false)]
    const rows = await this.#loads.load(frame)
    return rows.map((row) => this.#decode(row, frame.length)!)
  }

  async prepare(batch: RecordBatch): ReturnType<PreparingStore['prepare']> {
    const frames = this.#framesOf(batch)
    for (const [other, { generation }] of this.#held) if (!isHeld(other, generation)) this.#held.delete(other)
    this.#held.set(batch, { generation: batch.generation, frames })
    this.#loads?.forgetProblems((id) => [...this.#held.values()].some((one) => one.frames.has(id)))
    if (this.#loads === null || frames.size === 0) return { loads: null }
    const loads: Promise<unknown>[] = []
    // Whoever reads it is told.
    for (const frame of await this.#absent([...frames.values()]))
      loads.push(this.#loads.load(frame).catch(() => {}))
    return { loads: loads.length === 0 ? null : Promise.all(loads) }
  }

  evicting(): void {
    for (const [batch, { generation, frames }] of this.#held)
      if (isHeld(batch, generation)) for (const frame of frames.values()) this.#rows.keep(frame)
  }

  get openScans(): ReadonlySet<StoreIterator<unknown, unknown>> {
    return this.#openScans
  }

  closeScans(): void {
    for (const scan of this.#openScans) scan.close()
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

  discard(): void {
    this.closeScans()
    this.#loads?.forget()
    this.#tier?.discard()
    this.#rows.discard()
  }

  close(): void {
    this.discard()
    this.#held.clear()
    this.#tier?.close()
    this.#rows.close()
  }

  #scan(prefix: P, reverse: boolean): StoreIterator<R, V> {
    const frame = this.#frame(prefix)
    this.#checkWhole(frame)
    const scan = this.#rows.scan(
      frame,
      reverse,
      (row) => this.#decode(row, frame.length),
      (closed) => this.#openScans.delete(closed),
    )
    this.#openScans.add(scan)
    return scan
  }

  /** @returns null for a row that says that there is none */
  #decode({ key, value: row }: RawRow, frameBytes: number): TieredPrefixRow<R, V> | null {
    const value = this.#codec.value(row, 0, row.length) as V | null
    return value === null ? null : { key: this.#restSerde.deserialize(key, frameBytes, key.length), value }
  }

  /** @throws when a prefix is not here as a whole */
  #checkWhole(frame: Buffer): void {
    if (this.#loads === null || this.#rows.isWhole(frame)) return
    throw (
      this.#loads.problemOf(frame) ??
      new Error(
        `store ${this.name}: a prefix is not here, but in Cassandra: key the records by it and name the store in readsByKey, or call load() in the process() of an async processor`,
      )
    )
  }

  /** Those that are not here as a whole. */
  async #absent(frames: readonly Buffer[]): Promise<readonly Buffer[]> {
    const { length } = frames
    const columns = new Int32Array(4 * length)
    let end = 0
    for (const [index, frame] of frames.entries()) {
      columns[index] = end
      columns[length + index] = frame.length
      end += frame.length
    }
    await this.#environment.database.multiGet(
      this.#lowerIndex,
      Buffer.concat(frames),
      columns,
      length,
      length,
    )
    const absent = frames.filter(
      (frame, index) => columns[3 * length + index]! < 0 && !this.#rows.hasArrived(frame),
    )
    this.#reads.disk += length - absent.length
    return absent
  }

  #framesOf({ arena, keyStart, keyLength, count }: RecordBatch): Map<string, Buffer> {
    const frames = new Map<string, Buffer>()
    const seen = new Set<string>()
    for (let index = 0; index < count; index++) {
      if (keyLength[index]! <= 0) continue
      const start = keyStart[index]!
      const end = start + keyLength[index]!
      const bytes = arena.latin1Slice(start, end)
      if (seen.has(bytes)) continue
      seen.add(bytes)
      try {
        const key = this.#prefixSerde.deserialize(arena, start, end)
        const frame = this.#prefixSerde.primitive === true ? prefixFrame(arena, start, end) : this.#frame(key)
        frames.set(frame.toString('latin1'), frame)
      } catch {
        // It is met again, with its offset, when its turn comes.
      }
    }
    return frames
  }

  #awaits({ key, value }: RawRow): Promise<unknown> | null {
    const rest = this.#restSerde.awaits?.(key, prefixFrameBytes(key), key.length) ?? null
    const row = this.#codec.awaits?.(value, 0, value.length) ?? null
    return rest === null ? row : Promise.all([rest, row])
  }

  /** A copy. */
  #frame(prefix: P): Buffer {
    return this.#writeFrame(prefix).copyFrom(0)
  }

  /** The writer with the prefix and its length, alone. */
  #writeFrame(prefix: P): ByteWriter {
    this.#checkPart('prefix', prefix)
    const writer = this.#keyWriter
    writer.reset()
    writer.writeBytes(NO_LENGTH)
    this.#prefixSerde.serialize(prefix, writer)
    const bytes = writer.position - NO_LENGTH.length
    this.#checkBytes('prefix', bytes)
    writer.buffer.writeUInt16BE(bytes, 0)
    return writer
  }

  /** The writer with a row's key, alone. */
  #writeKey(prefix: P, rest: R): ByteWriter {
    const writer = this.#writeFrame(prefix)
    this.#checkPart('rest', rest)
    const start = writer.position
    this.#restSerde.serialize(rest, writer)
    this.#checkBytes('rest', writer.position - start)
    return writer
  }

  #checkPart(what: string, part: unknown): void {
    if (part === null || part === undefined)
      throw new TypeError(`store ${this.name}: the ${what} must not be ${part}`)
  }

  #checkBytes(what: string, bytes: number): void {
    if (bytes === 0 || bytes > KEY_BYTES_MAX)
      throw new RangeError(
        `store ${this.name}: a ${what} has ${bytes} bytes; Cassandra takes from 1 to ${KEY_BYTES_MAX}`,
      )
  }
}

const NO_LENGTH = new Uint8Array(2)

/** False when the batch was done with, or dropped. */
function isHeld(batch: RecordBatch, generation: number): boolean {
  return batch.generation === generation
}
