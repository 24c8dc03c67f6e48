import type { Scan, TaskDatabase } from '../native.ts'

/** Memory for the rows that are copied at a time: little at first, so that a store which is hardly scanned takes little. */
const SMALL = { rows: 16, bytes: 4096 }
const LARGE = { rows: 256, bytes: 64 * 1024 }
/** Scans open at once whose cursors are kept. */
const KEPT_MAX = 8

/**
 * A native scan and the memory that its rows are copied into, used again and again: a join scans once for every record. How far the last scan
 * went says how many rows the next one copies first, so that a short scan copies few rows, and a long one crosses seldom.
 */
export class ScanCursor {
  arena = Buffer.allocUnsafeSlow(SMALL.bytes)
  /** Four columns of `rows` each. */
  columns = new Int32Array(4 * SMALL.rows)
  rows = SMALL.rows
  /** No row is behind those that were copied. */
  atEnd = false
  readonly #database: TaskDatabase
  readonly #store: number
  #scan: Scan | null = null
  /** By the scan at work. */
  #rowsCopied = 0

  constructor(database: TaskDatabase, store: number) {
    this.#database = database
    this.#store = store
  }

  /** Begins a scan of from <= key < to, null being unbounded. @returns how many rows were copied, 0 when there are none */
  start(from: Buffer | null, to: Buffer | null, reverse: boolean): number {
    this.#makeRoom(Math.min(Math.max(SMALL.rows, 2 * this.#rowsCopied), LARGE.rows))
    this.#rowsCopied = 0
    if (this.#scan === null) {
      this.#scan = this.#database.scan(this.#store, from, to, reverse)
      return this.#copied(this.#scan.next(this.arena, this.columns, this.rows))
    }
    return this.#copied(this.#scan.restart(from, to, reverse, this.arena, this.columns, this.rows))
  }

  /** Copies the next rows over the last ones. REQUIRES not atEnd. @returns how many */
  next(): number {
    this.#makeRoom(LARGE.rows)
    return this.#copied(this.#scan!.next(this.arena, this.columns, this.rows))
  }

  /** Ends the scan. A row that was too large for the usual memory takes it along. */
  close(): void {
    this.#scan?.close()
    if (this.arena.length > LARGE.bytes) this.arena = Buffer.allocUnsafeSlow(LARGE.bytes)
  }

  #makeRoom(rows: number): void {
    this.rows = rows
    if (this.columns.length >= 4 * rows) return
    this.columns = new Int32Array(4 * LARGE.rows)
    if (this.arena.length < LARGE.bytes) this.arena = Buffer.allocUnsafeSlow(LARGE.bytes)
  }

  #copied(answer: number): number {
    let copied = answer
    if (copied < 0) {
      this.arena = Buffer.allocUnsafeSlow(Math.max(-copied, LARGE.bytes))
      copied = this.#scan!.next(this.arena, this.columns, this.rows)
    }
    const rows = copied >> 1
    this.atEnd = copied % 2 === 1
    this.#rowsCopied += rows
    return rows
  }
}

/** A store's cursors that no scan uses now. */
export class ScanCursors {
  readonly #database: TaskDatabase
  readonly #store: number
  readonly #kept: ScanCursor[] = []

  /** @param store its index in the database */
  constructor(database: TaskDatabase, store: number) {
    this.#database = database
    this.#store = store
  }

  take(): ScanCursor {
    return this.#kept.pop() ?? new ScanCursor(this.#database, this.#store)
  }

  /** Ends the cursor's scan. */
  give(cursor: ScanCursor): void {
    cursor.close()
    if (this.#kept.length < KEPT_MAX) this.#kept.push(cursor)
  }
}
