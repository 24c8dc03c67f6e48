import type { ByteWriter } from '../byte-writer.ts'

/** Of as many bytes a text's length takes one byte. Up to it, too, a loop over ASCII beats the calls into Node that count the bytes and write them. */
const SHORT_STRING_BYTES = 63

/** avsc's own, with which it serialises a schema's defaults: what is written beyond its buffer is written again into a larger one. */
interface AvscTap {
  readonly buf: Uint8Array
  pos: number
}

/** Writes a bigint of 64 bits to whatever tap. */
export function writeBigLong(tap: WriteTap | AvscTap, value: bigint): void {
  if (tap instanceof WriteTap) {
    tap.writeBigLong(value)
    return
  }
  for (const byte of varintOf(value)) tap.buf[tap.pos++] = byte
}

/** Zigzag, seven bits a byte, the lowest first. */
function* varintOf(value: bigint): Generator<number> {
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; zigzag > 0x7fn; zigzag >>= 7n) yield Number(zigzag & 0x7fn) | 0x80
  yield Number(zigzag)
}

/** Where avsc's types write to: a ByteWriter, which grows. In the place of avsc's own Tap, which writes into a buffer of a fixed size. One per thread. */
export class WriteTap {
  out!: ByteWriter

  writeBoolean(value: boolean): void {
    this.out.writeUInt8(value ? 1 : 0)
  }

  writeInt(value: number): void {
    this.writeLong(value)
  }

  /** REQUIRES a safe integer. */
  writeLong(value: number): void {
    const { out } = this
    out.reserve(10)
    const { buffer } = out
    let { position } = out
    // Half of the zigzag number, which stays exact.
    let half = value < 0 ? -(value + 1) : value
    const first = ((half % 64) * 2) | (value < 0 ? 1 : 0)
    half = Math.floor(half / 64)
    buffer[position++] = half > 0 ? first | 0x80 : first
    while (half > 0) {
      const bits = half % 128
      half = Math.floor(half / 128)
      buffer[position++] = half > 0 ? bits | 0x80 : bits
    }
    out.position = position
  }

  /** REQUIRES a bigint of 64 bits. */
  writeBigLong(value: bigint): void {
    const { out } = this
    let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (zigzag > 0x7fn) {
      out.writeUInt8(Number(zigzag & 0x7fn) | 0x80)
      zigzag >>= 7n
    }
    out.writeUInt8(Number(zigzag))
  }

  writeFloat(value: number): void {
    const { out } = this
    out.reserve(4)
    out.position = out.buffer.writeFloatLE(value, out.position)
  }

  writeDouble(value: number): void {
    const { out } = this
    out.reserve(8)
    out.position = out.buffer.writeDoubleLE(value, out.position)
  }

  writeFixed(bytes: Uint8Array, length = bytes.length): void {
    this.out.writeBytes(bytes, 0, length)
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length)
    this.out.writeBytes(bytes)
  }

  /** @throws TypeError for a lone surrogate */
  writeString(text: string): void {
    const { out } = this
    const { length } = text
    if (length <= SHORT_STRING_BYTES) {
      out.writeUInt8(length * 2)
      if (out.writeAscii(text)) return
      out.position--
    }
    this.writeLong(Buffer.byteLength(text))
    out.writeUtf8(text)
  }

  /** A default, as avsc keeps its bytes: one character each. */
  writeBinary(text: string): void {
    this.out.writeLatin1(text)
  }
}
