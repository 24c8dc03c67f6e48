/** Memory that rows of a scan are copied into: an arena, and the native columns of `rows` rows. */
export interface ScanChunk {
  readonly arena: Buffer
  readonly columns: Int32Array
  readonly rows: number
}

/** The first chunk is small, so that a short scan copies little; the others are large, so that a long one crosses seldom. */
const SMALL = { rows: 16, bytes: 4096 }
const LARGE = { rows: 256, bytes: 64 * 1024 }
/** Scans open at once whose chunks are kept. */
const KEPT_MAX = 8

/** A store's chunks, used again: a join scans once for every record. */
export class ScanChunks {
  readonly #small: ScanChunk[] = []
  readonly #large: ScanChunk[] = []

  takeSmall(): ScanChunk {
    return this.#small.pop() ?? newChunk(SMALL.rows, SMALL.bytes)
  }

  takeLarge(): ScanChunk {
    return this.#large.pop() ?? newChunk(LARGE.rows, LARGE.bytes)
  }

  /** One that holds a row of `bytes` bytes. */
  takeFor(bytes: number): ScanChunk {
    return bytes <= LARGE.bytes ? this.takeLarge() : newChunk(LARGE.rows, bytes)
  }

  /** Takes a chunk back; one that was made for a huge row is dropped. */
  give(chunk: ScanChunk): void {
    const kept = chunk.rows === SMALL.rows ? this.#small : this.#large
    if (kept.length < KEPT_MAX && chunk.arena.length <= LARGE.bytes) kept.push(chunk)
  }
}

function newChunk(rows: number, bytes: number): ScanChunk {
  return { arena: Buffer.allocUnsafeSlow(bytes), columns: new Int32Array(4 * rows), rows }
}
