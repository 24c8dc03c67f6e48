/** The longest string that is copied character by character: up to it a loop beats the call into Node's native encoder (28 against 40 ns). */
const SHORT_STRING_LENGTH = 16

/** What `writeInt64` wrote. Exact up to 2^53. */
export function readInt64(buffer: Buffer, start: number): number {
  return buffer.readInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4)
}

/**
 * A growing byte buffer that is written front to back and used again. Never shrinks; `buffer` changes identity when it grows.
 * Not shared between threads.
 */
export class ByteWriter {
  buffer: Buffer
  position = 0

  /** @param capacity initial bytes */
  constructor(capacity = 4096) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  reset(): void {
    this.position = 0
  }

  /** Makes room for `bytes` more at `position`. */
  reserve(bytes: number): void {
    const needed = this.position + bytes
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, this.position)
      this.buffer = grown
    }
  }

  writeUInt8(value: number): void {
    this.reserve(1)
    this.buffer[this.position++] = value
  }

  writeInt32(value: number): void {
    this.reserve(4)
    this.position = this.buffer.writeInt32BE(value, this.position)
  }

  writeBigInt64(value: bigint): void {
    this.reserve(8)
    this.position = this.buffer.writeBigInt64BE(value, this.position)
  }

  /** A 64-bit big-endian integer from a safe integer. REQUIRES Number.isSafeInteger(value). */
  writeInt64(value: number): void {
    this.reserve(8)
    const high = Math.floor(value / 0x1_0000_0000)
    const { buffer } = this
    let { position } = this
    buffer[position++] = high >>> 24
    buffer[position++] = high >>> 16
    buffer[position++] = high >>> 8
    buffer[position++] = high
    buffer[position++] = value >>> 24
    buffer[position++] = value >>> 16
    buffer[position++] = value >>> 8
    buffer[position++] = value
    this.position = position
  }

  writeFloat64(value: number): void {
    this.reserve(8)
    this.position = this.buffer.writeDoubleBE(value, this.position)
  }

  writeBytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.reserve(end - start)
    if (start === 0 && end === bytes.length) this.buffer.set(bytes, this.position)
    else this.buffer.set(bytes.subarray(start, end), this.position)
    this.position += end - start
  }

  /** Appends a text of ASCII, character by character. @returns false when it has another one: then nothing is appended */
  writeAscii(text: string): boolean {
    const { length } = text
    this.reserve(length)
    const { buffer, position } = this
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      buffer[position + index] = code
    }
    this.position = position + length
    return true
  }

  /** UTF-8. Throws a TypeError for a lone surrogate, which has no UTF-8 form. */
  writeUtf8(text: string): void {
    const { length } = text
    if (length <= SHORT_STRING_LENGTH && this.writeAscii(text)) return
    this.reserve(length * 3)
    const { buffer, position } = this
    if (!text.isWellFormed()) throw new TypeError('the text has a lone surrogate, which UTF-8 cannot express')
    this.position = position + buffer.utf8Write(text, position)
  }

  /** One byte per character. REQUIRES characters up to U+00FF: bytes that were read as latin1. */
  writeLatin1(text: string): void {
    this.reserve(text.length)
    this.position += this.buffer.latin1Write(text, this.position)
  }

  /** A copy of what was written since `from`. */
  copyFrom(from: number): Buffer {
    return Buffer.from(this.buffer.subarray(from, this.position))
  }
}
