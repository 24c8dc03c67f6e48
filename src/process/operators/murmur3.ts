/**
 * The 128-bit murmur3 of Kafka Streams, which tells a joined row's version by its bytes. Kafka Streams' Murmur3.hash128 with its default seed.
 *
 * 64-bit words are two 32-bit halves, since a BigInt would cost an allocation for each step.
 */
const SEED = 104_729
const BLOCK_BYTES = 16

/** A 64-bit word, changed in place. */
interface Word {
  high: number
  low: number
}

const C1: Word = { high: 0x87c37b91, low: 0x114253d5 }
const C2: Word = { high: 0x4cf5ad43, low: 0x2745937f }
const MIX_1: Word = { high: 0xff51afd7, low: 0xed558ccd }
const MIX_2: Word = { high: 0xc4ceb9fe, low: 0x1a85ec53 }
const FIVE: Word = { high: 0, low: 5 }
const N1: Word = { high: 0, low: 0x52dce729 }
const N2: Word = { high: 0, low: 0x38495ab5 }

const h1: Word = { high: 0, low: 0 }
const h2: Word = { high: 0, low: 0 }
const k1: Word = { high: 0, low: 0 }
const k2: Word = { high: 0, low: 0 }

/** @returns 16 bytes, big-endian, of `bytes[start, end)` */
export function murmur3Hash128(bytes: Buffer, start: number, end: number): Buffer {
  const length = end - start
  set(h1, 0, SEED)
  set(h2, 0, SEED)
  let position = start
  for (; position + BLOCK_BYTES <= end; position += BLOCK_BYTES) {
    set(k1, bytes.readInt32LE(position + 4), bytes.readInt32LE(position))
    set(k2, bytes.readInt32LE(position + 12), bytes.readInt32LE(position + 8))
    mixIn(h1, k1, C1, 31, C2)
    rotate(h1, 27)
    add(h1, h2)
    multiply(h1, FIVE)
    add(h1, N1)
    mixIn(h2, k2, C2, 33, C1)
    rotate(h2, 31)
    add(h2, h1)
    multiply(h2, FIVE)
    add(h2, N2)
  }
  tailWord(k1, bytes, position, Math.min(end, position + 8))
  tailWord(k2, bytes, position + 8, end)
  mixIn(h2, k2, C2, 33, C1)
  mixIn(h1, k1, C1, 31, C2)
  h1.low ^= length
  h2.low ^= length
  add(h1, h2)
  add(h2, h1)
  finish(h1)
  finish(h2)
  add(h1, h2)
  add(h2, h1)
  const hash = Buffer.allocUnsafe(BLOCK_BYTES)
  hash.writeInt32BE(h1.high | 0, 0)
  hash.writeInt32BE(h1.low | 0, 4)
  hash.writeInt32BE(h2.high | 0, 8)
  hash.writeInt32BE(h2.low | 0, 12)
  return hash
}

/** Up to 8 bytes, little-endian; nothing is 0, which changes nothing when it is mixed in. */
function tailWord(word: Word, bytes: Buffer, start: number, end: number): void {
  set(word, 0, 0)
  for (let position = start; position < end; position++) {
    const shift = 8 * (position - start)
    if (shift < 32) word.low |= bytes[position]! << shift
    else word.high |= bytes[position]! << (shift - 32)
  }
}

function mixIn(hash: Word, word: Word, first: Word, rotation: number, second: Word): void {
  multiply(word, first)
  rotate(word, rotation)
  multiply(word, second)
  hash.high ^= word.high
  hash.low ^= word.low
}

function finish(word: Word): void {
  // Shifted right by 33 bits, the high half's upper 31 are the low half, and the high half is 0.
  word.low ^= word.high >>> 1
  multiply(word, MIX_1)
  word.low ^= word.high >>> 1
  multiply(word, MIX_2)
  word.low ^= word.high >>> 1
}

function set(word: Word, high: number, low: number): void {
  word.high = high
  word.low = low
}

function add(word: Word, other: Word): void {
  const low = (word.low >>> 0) + (other.low >>> 0)
  word.high = (word.high + other.high + (low > 0xffffffff ? 1 : 0)) | 0
  word.low = low | 0
}

function rotate(word: Word, bits: number): void {
  const { high, low } = word
  const [upper, lower] = bits < 32 ? [high, low] : [low, high]
  const by = bits % 32
  word.high = (upper << by) | (lower >>> (32 - by))
  word.low = (lower << by) | (upper >>> (32 - by))
}

function multiply(word: Word, other: Word): void {
  const a = word.low & 0xffff
  const b = word.low >>> 16
  const c = other.low & 0xffff
  const d = other.low >>> 16
  const middle = b * c + ((a * c) >>> 16)
  const upper = a * d + (middle & 0xffff)
  const carried = b * d + Math.floor(middle / 0x10000) + Math.floor(upper / 0x10000)
  word.high = (carried + Math.imul(word.high, other.low) + Math.imul(word.low, other.high)) | 0
  word.low = (Math.imul(a, c) & 0xffff) | (upper << 16)
}
