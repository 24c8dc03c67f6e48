/** Of a slot: hash, number of the row, start and length of its key. One cache line holds four slots. */
const SLOT = 4
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
 * in a batch's arena makes no object, and touches less memory than a Map of strings does. At most three quarters of the slots are taken.
 */
export class KeyTable<Row> {
  #slots = new Int32Array(SLOTS_MIN * SLOT).fill(EMPTY)
  #mask = SLOTS_MIN - 1
  /** The keys, one after the other. */
  #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_MIN)
  #bytesUsed = 0
  readonly #rows: Row[] = []

  /** Without meaning: keeps the reads of `warm` from being optimised away. */
  warmed = 0

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
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = at * SLOT
      const number = slots[slot + 1]!
      if (number === EMPTY) return undefined
      if (slots[slot] === hash && this.#isKey(slots[slot + 2]!, slots[slot + 3]!, bytes, start, end))
        return this.#rows[number]
    }
  }

  /**
   * Reads beforehand what `find` will read for the first `count` of `hashes`: all slots, then all keys. Nothing in such a loop waits for what it reads, so
   * the processor fetches many at a time, where one `find` after the other waits for memory with each.
   */
  warm(hashes: Int32Array, count: number): void {
    const slots = this.#slots
    const mask = this.#mask
    const bytes = this.#bytes
    let sum = 0
    for (let index = 0; index < count; index++) sum ^= slots[(hashes[index]! & mask) * SLOT]!
    for (let index = 0; index < count; index++) {
      const keyStart = slots[(hashes[index]! & mask) * SLOT + 2]!
      if (keyStart !== EMPTY) sum ^= bytes[keyStart]!
    }
    this.warmed = sum
  }

  /** REQUIRES that the key is not there. @returns where the key starts, for `keyAt` */
  add(bytes: Uint8Array, start: number, end: number, hash: number, row: Row): number {
    const number = this.#rows.length
    if ((number + 1) * 4 > (this.#mask + 1) * 3) this.#grow()
    const length = end - start
    const from = this.#bytesUsed
    if (from + length > this.#bytes.length) this.#growBytes(from + length)
    const own = this.#bytes
    for (let index = 0; index < length; index++) own[from + index] = bytes[start + index]!
    this.#bytesUsed = from + length
    this.#rows.push(row)
    this.#place(hash, number, from, length)
    return from
  }

  /** A view of a row's key, to be used at once. */
  keyAt(start: number, length: number): Uint8Array {
    return this.#bytes.subarray(start, start + length)
  }

  #isKey(keyStart: number, keyLength: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (keyLength !== end - start) return false
    const own = this.#bytes
    for (let index = 0; index < keyLength; index++)
      if (own[keyStart + index] !== bytes[start + index]) return false
    return true
  }

  #place(hash: number, number: number, keyStart: number, keyLength: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let at = hash & mask
    while (slots[at * SLOT + 1] !== EMPTY) at = (at + 1) & mask
    const slot = at * SLOT
    slots[slot] = hash
    slots[slot + 1] = number
    slots[slot + 2] = keyStart
    slots[slot + 3] = keyLength
  }

  #grow(): void {
    const before = this.#slots
    const slots = (this.#mask + 1) * 2
    this.#slots = new Int32Array(slots * SLOT).fill(EMPTY)
    this.#mask = slots - 1
    for (let slot = 0; slot < before.length; slot += SLOT) {
      const number = before[slot + 1]!
      if (number !== EMPTY) this.#place(before[slot]!, number, before[slot + 2]!, before[slot + 3]!)
    }
  }

  #growBytes(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#bytesUsed)
    this.#bytes = grown
  }
}
