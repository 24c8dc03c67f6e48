import { MergedScan, type RawRow, rawRow } from './merged-scan.ts'
import { OverlayWriter } from './overlay-writer.ts'
import { firstAfterPrefix } from './rocksdb-key-value-store.ts'
import type { RowCodec } from './row-codec.ts'
import { RowScan } from './row-scan.ts'
import { ScanCursors } from './scan-cursors.ts'
import type { StoreIterator } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import { localRow, TieredRows } from './tiered-rows.ts'

/** A prefix that has come, or is kept: with all its rows. */
interface WholePrefix {
  /** The prefix with its length. */
  readonly frame: Buffer
  readonly rows: readonly RawRow[]
}

/** What `loaded` has under a prefix alone, without a rest: all rows of the prefix are there. */
const MARKER = localRow(null)
const FIRST_REST = Uint8Array.of(0)
const noOne = (): void => {}

/**
 * The rows of a tiered store whose keys begin with a prefix and its length (see prefixKeySerde), and have a rest of at least a byte.
 *
 * Invariants, besides those of TieredRows:
 * 1. Where `loaded` has a prefix's marker, it has all rows that the second tier had when the prefix was loaded, and `written` has what was put since then. So those of `written` over those of
 *    `loaded` are the prefix's rows.
 * 2. Marker and rows come and go together: in one batch of the overlay, and when the store is emptied.
 */
export class PrefixRows extends TieredRows {
  readonly #lower: number
  readonly #writtenCursors: ScanCursors
  readonly #loadedCursors: ScanCursors
  /** Not in `loaded` yet: they came at any moment, a commit's drain included. By their frames, as latin1. */
  readonly #arrived = new Map<string, WholePrefix>()
  /** Null until a prefix has come. */
  #arrivedWriter: OverlayWriter | null = null

  /** @param environment of `written`. @param loaded the other's index in the database */
  constructor(name: string, environment: StoreEnvironment, loaded: number, codec: RowCodec) {
    super(name, environment, loaded, codec)
    this.#lower = loaded
    this.#writtenCursors = new ScanCursors(environment.database, environment.index)
    this.#loadedCursors = new ScanCursors(environment.database, loaded)
  }

  /** True when all rows of a prefix are here. */
  isWhole(frame: Buffer): boolean {
    this.#applyWhole()
    return this.look(this.#lower, frame, 0, frame.length) >= 0
  }

  hasArrived(frame: Buffer): boolean {
    return this.#arrived.has(frame.toString('latin1'))
  }

  /** Takes in a prefix as it is now, with all that was put. The bytes are kept. */
  arriveWhole(frame: Buffer, rows: readonly RawRow[]): void {
    this.#arrived.set(frame.toString('latin1'), { frame, rows })
  }

  /** The rows of a prefix that are here, with those that are not there any more. */
  scan<K, V>(
    frame: Buffer,
    reverse: boolean,
    decode: (row: RawRow) => { readonly key: K; readonly value: V } | null,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ): MergedScan<K, V> {
    this.flush()
    return this.#scan(frame, reverse, decode, onClose)
  }

  /** Copies of what was put under a prefix, as far as it is here. */
  written(frame: Buffer): RawRow[] {
    this.flush()
    using scan = this.#part(this.#writtenCursors, frame, false)
    return Array.from(scan, copied)
  }

  /** What is here is about to be emptied: a prefix that is here as a whole is to stay. REQUIRES that nothing was changed since the last commit. */
  keep(frame: Buffer): void {
    const id = frame.toString('latin1')
    if (this.#arrived.has(id) || this.look(this.#lower, frame, 0, frame.length) < 0) return
    using scan = this.#scan(frame, false, copied, noOne)
    this.#arrived.set(id, {
      frame,
      rows: Array.from(scan).filter(({ value }) => value.length > MARKER.length),
    })
  }

  override local(bytes: Buffer, start: number, end: number, key: unknown): ReturnType<TieredRows['local']> {
    this.#applyWhole()
    return super.local(bytes, start, end, key)
  }

  override pin(): number {
    this.#applyWhole()
    return super.pin()
  }

  override flush(): void {
    this.#applyWhole()
    super.flush()
  }

  override discard(): void {
    this.#arrived.clear()
    super.discard()
  }

  override close(): void {
    this.#arrived.clear()
    super.close()
  }

  #scan<K, V>(
    frame: Buffer,
    reverse: boolean,
    decode: (row: RawRow) => { readonly key: K; readonly value: V } | null,
    onClose: (scan: StoreIterator<unknown, unknown>) => void,
  ): MergedScan<K, V> {
    const written = this.#part(this.#writtenCursors, frame, reverse)
    const loaded = this.#part(this.#loadedCursors, frame, reverse)
    return new MergedScan(written, loaded, reverse, decode, onClose)
  }

  #part(cursors: ScanCursors, frame: Buffer, reverse: boolean): RowScan<Buffer, Buffer> {
    // Behind the marker.
    const range = { from: Buffer.concat([frame, FIRST_REST]), to: firstAfterPrefix(frame) }
    return new RowScan(cursors, range, reverse, rawRow, noOne)
  }

  #applyWhole(): void {
    if (this.#arrived.size === 0) return
    this.#arrivedWriter ??= new OverlayWriter()
    const writer = this.#arrivedWriter
    const { database, onOverlayBytes } = this.environment
    for (const { frame, rows } of this.#arrived.values()) {
      for (const row of rows) {
        add(writer, row.key, row.value)
        if (writer.isFull) onOverlayBytes(writer.apply(database, this.#lower))
      }
      add(writer, frame, MARKER)
      if (writer.isFull) onOverlayBytes(writer.apply(database, this.#lower))
    }
    this.#arrived.clear()
    if (!writer.isEmpty) onOverlayBytes(writer.apply(database, this.#lower))
  }
}

function add(writer: OverlayWriter, key: Buffer, row: Buffer): void {
  writer.beginRow()
  writer.writer.writeBytes(key)
  writer.endKey()
  writer.writer.writeBytes(row)
  writer.endRow(true, 0)
}

function copied({ key, value }: RawRow): RawRow {
  return { key: Buffer.from(key), value: Buffer.from(value) }
}
