import { decodeUtf8 } from '../utf8.ts'

const VARINT_BYTES_MAX = 10
/** Values without bytes (null, a record without fields) in arrays and maps: a few bytes could say any number of them. */
const EMPTY_VALUES_MAX = 1_000_000
const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1

/**
 * Where avsc's types read from: the part of a buffer that one value occupies. In the place of avsc's own Tap, which knows the buffer's end alone,
 * returns nothing in place of what lies beyond it, and loses the sign of some integers below -2^52. One per thread, used again.
 */
export class ReadTap {
  buf: Buffer = Buffer.alloc(0)
  pos = 0
  end = 0
  /** Values without bytes that may still come in blocks of this value. */
  #emptyLeft = EMPTY_VALUES_MAX

  /** Begins with the value in `buffer[start, end)`. */
  begin(buffer: Buffer, start: number, end: number): void {
    this.buf = buffer
    this.pos = start
    this.end = end
    this.#emptyLeft = EMPTY_VALUES_MAX
  }

  isValid(): boolean {
    return this.pos <= this.end
  }

  /** Goes on. @throws RangeError beyond the end */
  take(bytes: number): number {
    const { pos } = this
    if (bytes < 0) throw new RangeError(`a length of ${bytes}`)
    if (pos + bytes > this.end) throw truncated()
    this.pos = pos + bytes
    return pos
  }

  readBoolean(): boolean {
    const byte = this.buf[this.take(1)]!
    if (byte > 1) throw new RangeError(`a boolean is 0 or 1, not ${byte}`)
    return byte === 1
  }

  skipBoolean(): void {
    this.take(1)
  }

  /** @throws RangeError beyond 32 bits */
  readInt(): number {
    const value = this.readLong()
    if (value > INT32_MAX || value < INT32_MIN) throw new RangeError(`an int of ${value}`)
    return value
  }

  /** Zigzag, seven bits a byte, the lowest first. Beyond 2^53 it is the nearest number, which is no safe integer. */
  readLong(): number {
    const { buf, end } = this
    let { pos } = this
    if (pos >= end) throw truncated()
    let byte = buf[pos++]!
    const isNegative = (byte & 1) !== 0
    // Half of the zigzag number: without its sign it stays exact.
    let half = (byte & 0x7e) >> 1
    if (byte > 0x7f) {
      const limit = Math.min(end, this.pos + VARINT_BYTES_MAX)
      for (let scale = 64; byte > 0x7f; scale *= 128) {
        if (pos >= limit) throw pos >= end ? truncated() : new RangeError('an integer of more than 64 bits')
        byte = buf[pos++]!
        half += (byte & 0x7f) * scale
      }
    }
    // Summed up so, it would be near the number only.
    if (half > Number.MAX_SAFE_INTEGER) return Number(this.readBigLong())
    this.pos = pos
    return isNegative ? -half - 1 : half
  }

  /** @throws RangeError beyond 64 bits */
  readBigLong(): bigint {
    const { buf } = this
    const start = this.pos
    this.skipLong()
    const last = this.pos - 1
    let zigzag = 0n
    for (let at = last; at >= start; at--) zigzag = (zigzag << 7n) | BigInt(buf[at]! & 0x7f)
    if (zigzag >= 1n << 64n) throw new RangeError('an integer of more than 64 bits')
    return (zigzag & 1n) === 0n ? zigzag >> 1n : -(zigzag >> 1n) - 1n
  }

  skipInt(): void {
    this.skipLong()
  }

  skipLong(): void {
    const { buf, end } = this
    const limit = Math.min(end, this.pos + VARINT_BYTES_MAX)
    let { pos } = this
    do {
      if (pos >= limit) throw pos >= end ? truncated() : new RangeError('an integer of more than 64 bits')
    } while (buf[pos++]! > 0x7f)
    this.pos = pos
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.take(4))
  }

  skipFloat(): void {
    this.take(4)
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.take(8))
  }

  skipDouble(): void {
    this.take(8)
  }

  /** @returns a copy */
  readFixed(bytes: number): Buffer {
    const start = this.take(bytes)
    const copy = Buffer.allocUnsafe(bytes)
    this.buf.copy(copy, 0, start, start + bytes)
    return copy
  }

  skipFixed(bytes: number): void {
    this.take(bytes)
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong())
  }

  skipBytes(): void {
    this.take(this.readLong())
  }

  /** @throws TypeError for bytes that are not UTF-8 */
  readString(): string {
    const bytes = this.readLong()
    const start = this.take(bytes)
    return decodeUtf8(this.buf, start, start + bytes)
  }

  skipString(): void {
    this.take(this.readLong())
  }

  /**
   * The number of values in the next block of an array or a map; 0: there are no more. What the rest of the bytes cannot hold is no number: it would
   * be looped over, however large it is.
   *
   * @param bytesMin of one value, at the least
   */
  readBlockCount(bytesMin: number): number {
    let count = this.readLong()
    if (count < 0) {
      count = -count
      this.skipLong()
    }
    this.#checkCount(count, bytesMin)
    return count
  }

  /** The same for a block that is passed over: one that tells its bytes is passed at once. @returns how many values are still to be passed */
  skipBlock(bytesMin: number): { count: number; isLast: boolean } {
    const count = this.readLong()
    if (count < 0) {
      this.take(this.readLong())
      return { count: 0, isLast: false }
    }
    this.#checkCount(count, bytesMin)
    return { count, isLast: count === 0 }
  }

  #checkCount(count: number, bytesMin: number): void {
    const countMax = bytesMin === 0 ? this.#emptyLeft : (this.end - this.pos) / bytesMin
    if (bytesMin === 0) this.#emptyLeft -= count
    if (count > countMax) throw new RangeError(`a block of ${count} values in ${this.end - this.pos} bytes`)
  }
}

function truncated(): RangeError {
  return new RangeError('the bytes end in the middle of a value')
}
