const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995
const ROTATION = 24

/** The partition of the key `bytes[0, length)`: murmur2, as Kafka's own producer. For keys of which only a part decides. */
export function partitionOfKey(bytes: Buffer, length: number, partitions: number): number {
  return (murmur2(bytes, length) & 0x7fffffff) % partitions
}

/** A signed 32-bit hash. The native producer has its own, in murmur2.h. */
function murmur2(bytes: Buffer, length: number): number {
  const tail = length & ~3
  let hash = SEED ^ length
  for (let index = 0; index < tail; index += 4) {
    let word = Math.imul(bytes.readInt32LE(index), MULTIPLIER)
    word ^= word >>> ROTATION
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (tail < length) {
    for (let index = length - 1; index >= tail; index--) hash ^= bytes[index]! << (8 * (index - tail))
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}
