/** A key's span in the arena, and its hash beside the row's number: what one row takes of the typed arrays, in elements. */
const SPAN = 2
const SLOT = 2
const EMPTY = -1
const SLOTS_MIN = 64
const BYTES_MIN = 1024

/** Different in every process: nobody can choose keys that all fall into one slot. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0

/** A 32-bit hash of `bytes[start, end)`. Of this process only. */
export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED ^ (end - start)
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ bytes[index]!, 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x27d4eb2d)
  return hash ^ (hash >>> 13)
}

/**
 * Rows by the bytes of their keys; nothing is ever taken out. A hash table with open addressing over typed arrays: a look-up by bytes that stand
 * in a batch's arena makes no object, and touches less memory than a Map of strings does (a fifth of its time, the decoding of the string counted).
 *
 *   #slots: [hash, number], ... -> #spans: [start, length] in #bytes, ... and #rows
 */
export class KeyTable<Row> {
  #slots = new Int32Array(SLOTS_MIN * SLOT).fill(EMPTY)
  #mask = SLOTS_MIN - 1
  #spans = new Int32Array((SLOTS_MIN / 2) * SPAN)
  #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_MIN)
  #bytesUsed = 0
  readonly #rows: Row[] = []

  get size(): number {
    return this.#rows.length
  }

  /** Of all keys. */
  get keyBytes(): number {
    return this.#bytesUsed
  }

  /** @param hash of the key: `hashKey` */
  find(bytes: Uint8Array, start: number, end: number, hash: number): Row | undefined {
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot * SLOT + 1]!
      if (number === EMPTY) return undefined
      if (slots[slot * SLOT] === hash && this.#hasKey(number, bytes, start, end)) return this.#rows[number]
    }
  }

  /** REQUIRES that the key is not there. @returns the row's number, for `keyOf` */
  add(bytes: Uint8Array, start: number, end: number, hash: number, row: Row): number {
    const number = this.#rows.length
    if ((number + 1) * 2 > this.#mask + 1) this.#grow()
    const length = end - start
    const from = this.#bytesUsed
    if (from + length > this.#bytes.length) this.#growBytes(from + length)
    const own = this.#bytes
    for (let index = 0; index < length; index++) own[from + index] = bytes[start + index]!
    this.#bytesUsed = from + length
    this.#spans[number * SPAN] = from
    this.#spans[number * SPAN + 1] = length
    this.#rows.push(row)
    this.#place(hash, number)
    return number
  }

  /** A view of a row's key, to be used at once. */
  keyOf(number: number): Uint8Array {
    const start = this.#spans[number * SPAN]!
    return this.#bytes.subarray(start, start + this.#spans[number * SPAN + 1]!)
  }

  #hasKey(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    if (this.#spans[number * SPAN + 1] !== length) return false
    const own = this.#bytes
    const from = this.#spans[number * SPAN]!
    for (let index = 0; index < length; index++) if (own[from + index] !== bytes[start + index]) return false
    return true
  }

  #place(hash: number, number: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash & mask
    while (slots[slot * SLOT + 1] !== EMPTY) slot = (slot + 1) & mask
    slots[slot * SLOT] = hash
    slots[slot * SLOT + 1] = number
  }

  #grow(): void {
    const before = this.#slots
    const slots = (this.#mask + 1) * 2
    this.#slots = new Int32Array(slots * SLOT).fill(EMPTY)
    this.#mask = slots - 1
    for (let index = 0; index < before.length; index += SLOT)
      if (before[index + 1] !== EMPTY) this.#place(before[index]!, before[index + 1]!)
    const spans = new Int32Array((slots / 2) * SPAN)
    spans.set(this.#spans)
    this.#spans = spans
  }

  #growBytes(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#bytesUsed)
    this.#bytes = grown
  }
}
