import type { Prefetch } from '../state/prefetch.ts'

/**
 * Records that were drained together from one partition: an arena with their bytes and a column per field. Filled by the native consumer
 * in the layout of CONSUME_COLUMNS, used again after `release`. Belongs to one stream thread.
 */
export class RecordBatch {
  readonly capacity: number
  arena: Buffer
  readonly columns: ArrayBuffer
  readonly offset: Float64Array
  readonly timestamp: Float64Array
  readonly keyStart: Int32Array
  readonly keyLength: Int32Array
  readonly valueStart: Int32Array
  readonly valueLength: Int32Array
  readonly headersStart: Int32Array
  readonly headersLength: Int32Array
  /** Decoded keys, as far as a stage needed them before processing; undefined where none did. */
  readonly keys: unknown[]
  /** What was looked up for these records, one for each store that is read by their key; made as needed, used again. */
  readonly prefetches: Prefetch[] = []
  count = 0
  /** Goes up whenever the arena's bytes change hands: a record that was not read by then must say so instead of reading another's bytes. */
  generation = 0

  /** @param capacity records; @param arenaBytes initial arena size */
  constructor(capacity: number, arenaBytes: number) {
    this.capacity = capacity
    this.arena = Buffer.allocUnsafeSlow(arenaBytes)
    this.columns = new ArrayBuffer(capacity * (2 * 8 + 6 * 4))
    this.offset = new Float64Array(this.columns, 0, capacity)
    this.timestamp = new Float64Array(this.columns, capacity * 8, capacity)
    const int32 = (index: number) => new Int32Array(this.columns, capacity * (16 + index * 4), capacity)
    this.keyStart = int32(0)
    this.keyLength = int32(1)
    this.valueStart = int32(2)
    this.valueLength = int32(3)
    this.headersStart = int32(4)
    this.headersLength = int32(5)
    this.keys = new Array(capacity).fill(undefined)
  }

  /** Arena bytes in use: records lie in it one after the other. */
  get bytes(): number {
    const last = this.count - 1
    if (last < 0) return 0
    const keyEnd = this.keyStart[last]! + Math.max(0, this.keyLength[last]!)
    const valueEnd = this.valueStart[last]! + Math.max(0, this.valueLength[last]!)
    return Math.max(keyEnd, valueEnd)
  }

  clear(): void {
    this.count = 0
    this.generation++
  }
}

/**
 * A stream thread's batches. Arenas are large, so a partition holds one only while it has records in it. `take` always answers, since a task
 * that waits for a batch could hold up itself; `spare` says whether reading ahead is within the limit.
 */
export class BatchPool {
  readonly #free: RecordBatch[] = []
  readonly #capacity: number
  readonly #arenaBytes: number
  readonly #readAheadMax: number
  #taken = 0

  /** @param readAheadMax batches out at once up to which reading ahead is allowed */
  constructor(options: { capacity: number; arenaBytes: number; readAheadMax: number }) {
    this.#capacity = options.capacity
    this.#arenaBytes = options.arenaBytes
    this.#readAheadMax = options.readAheadMax
  }

  /** Another pool of such batches, of fewer records and as much smaller. */
  withCapacity(capacity: number): BatchPool {
    const share = Math.min(1, capacity / this.#capacity)
    return new BatchPool({
      capacity: Math.min(capacity, this.#capacity),
      arenaBytes: Math.ceil(this.#arenaBytes * share),
      readAheadMax: this.#readAheadMax,
    })
  }

  get spare(): boolean {
    return this.#taken < this.#readAheadMax
  }

  take(): RecordBatch {
    this.#taken++
    return this.#free.pop() ?? new RecordBatch(this.#capacity, this.#arenaBytes)
  }

  release(batch: RecordBatch): void {
    this.#taken--
    batch.clear()
    // An arena that grew for one huge record is not kept.
    if (this.#free.length < this.#readAheadMax && batch.arena.length <= this.#arenaBytes)
      this.#free.push(batch)
  }
}
