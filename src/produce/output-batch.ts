import { messageOf } from '../errors/weir-error.ts'
import type { Producer } from '../native.ts'
import type { Headers } from '../process/headers.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

const INITIAL_CAPACITY = 8192

/** A key or value that its serde could not write. Its message is what the serde said. */
export class SerializationError extends Error {
  override readonly name = 'SerializationError'
  readonly part: 'key' | 'value'

  constructor(part: 'key' | 'value', cause: unknown) {
    super(messageOf(cause), { cause })
    this.part = part
  }
}

/**
 * Output records on their way to the native producer: an arena and a column per field, in the layout of PRODUCE_COLUMNS. Grows by what one
 * input record puts out; between records `isFull` asks for `send`. One per stream thread.
 */
export class OutputBatch {
  readonly #producer: Producer
  readonly #writer = new ByteWriter(1 << 20)
  readonly #recordsMax: number
  readonly #bytesMax: number
  #capacity = 0
  #columns = new ArrayBuffer(0)
  #timestamp = new Float64Array(0)
  #int32 = new Int32Array(0)
  #count = 0
  /** Records the producer has taken already (its queue was full before the end). */
  #sent = 0
  /** Records added since the start. */
  records = 0

  /** @param recordsMax, bytesMax when either is reached, `isFull` */
  constructor(producer: Producer, recordsMax: number, bytesMax: number) {
    this.#producer = producer
    this.#recordsMax = recordsMax
    this.#bytesMax = bytesMax
    this.#resize(INITIAL_CAPACITY)
  }

  get isFull(): boolean {
    return this.#count >= this.#recordsMax || this.#writer.position >= this.#bytesMax
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /**
   * @param partition -1: murmur2 of the key, or any for a null key
   * @returns the record's bytes, as far as they are its key, value and headers
   * @throws SerializationError; nothing was added then
   */
  add(
    topic: number,
    partition: number,
    keySerde: Serde<unknown>,
    key: unknown,
    valueSerde: Serde<unknown>,
    value: unknown,
    timestamp: number,
    headers: Headers,
  ): number {
    if (this.#count === this.#capacity) this.#resize(this.#capacity * 2)
    const writer = this.#writer
    const index = this.#count
    const int32 = this.#int32
    const capacity = this.#capacity
    const keyStart = writer.position
    let valueStart = -1
    try {
      if (key !== null) keySerde.serialize(key, writer)
      valueStart = writer.position
      if (value !== null) valueSerde.serialize(value, writer)
    } catch (error) {
      writer.position = keyStart
      throw new SerializationError(valueStart < 0 ? 'key' : 'value', error)
    }
    const valueEnd = writer.position
    this.#timestamp[index] = timestamp
    int32[index] = topic
    int32[capacity + index] = partition
    int32[2 * capacity + index] = keyStart
    int32[3 * capacity + index] = key === null ? -1 : valueStart - keyStart
    int32[4 * capacity + index] = valueStart
    int32[5 * capacity + index] = value === null ? -1 : valueEnd - valueStart
    if (headers.length === 0) {
      int32[7 * capacity + index] = -1
    } else {
      headers.encode(writer)
      int32[6 * capacity + index] = valueEnd
      int32[7 * capacity + index] = writer.position - valueEnd
    }
    this.#count = index + 1
    this.records++
    return writer.position - keyStart
  }

  /** Takes back the record that was added last. REQUIRES that it was not handed to the producer. @returns its bytes */
  takeBackLast(): { readonly key: Buffer | null; readonly value: Buffer | null } {
    const index = this.#count - 1
    const part = (column: number): Buffer | null => {
      const start = this.#int32[column * this.#capacity + index]!
      const length = this.#int32[(column + 1) * this.#capacity + index]!
      return length < 0 ? null : Buffer.from(this.#writer.buffer.subarray(start, start + length))
    }
    const bytes = { key: part(2), value: part(4) }
    this.takeBack(this.records - 1)
    return bytes
  }

  /** Takes back what was added since `records` were. REQUIRES that none of it was handed to the producer. */
  takeBack(records: number): void {
    const added = this.records - records
    if (added === 0) return
    const first = this.#count - added
    this.#writer.position = this.#int32[2 * this.#capacity + first]!
    this.#count = first
    this.records = records
  }

  /** Hands everything to the producer. @returns false when its queue is full: await `producer.writable()` and send again */
  send(): boolean {
    if (this.#count === 0) return true
    this.#sent = this.#producer.produce(
      this.#writer.buffer,
      this.#columns,
      this.#capacity,
      this.#sent,
      this.#count,
    )
    if (this.#sent < this.#count) return false
    this.#count = 0
    this.#sent = 0
    this.#writer.reset()
    return true
  }

  /** Drops what the producer has not taken. */
  discard(): void {
    this.#count = 0
    this.#sent = 0
    this.#writer.reset()
  }

  /** Sends everything, waiting for room. */
  async sendAll(): Promise<void> {
    while (!this.send()) await this.#producer.writable()
  }

  #resize(capacity: number): void {
    const columns = new ArrayBuffer(capacity * (8 + 8 * 4))
    const timestamp = new Float64Array(columns, 0, capacity)
    const int32 = new Int32Array(columns, capacity * 8, 8 * capacity)
    timestamp.set(this.#timestamp)
    for (let column = 0; column < 8; column++) {
      const from = column * this.#capacity
      int32.set(this.#int32.subarray(from, from + this.#capacity), column * capacity)
    }
    this.#columns = columns
    this.#timestamp = timestamp
    this.#int32 = int32
    this.#capacity = capacity
  }
}
