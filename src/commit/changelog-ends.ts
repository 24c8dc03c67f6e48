import { createHash } from 'node:crypto'

import { readInt64 } from '../serde/byte-writer.ts'

/**
 * Where the changelogs of a task's stores ended when its offsets were committed, by `changelogId`: what they have beyond that was written by a task that had not
 * committed, or that was not its partition's owner any more.
 */
export type ChangelogEnds = ReadonlyMap<string, number>

const MARK = 0x57
/** What is written; lower ones are read, too. test/support/future-build.ts raises it. */
const VERSION = 1
const HEADER_BYTES = 4
const ID_BYTES = 8
const ENTRY_BYTES = ID_BYTES + 8

/** So many fit into a committed offset's metadata, of which brokers take 4 KiB (offset.metadata.max.bytes), in base64 and with what else is in it. */
export const CHANGELOG_ENDS_MAX = 128

/** Names a store's changelog: another topic of the same name is another changelog. */
export function changelogId(store: string, topicId: string): string {
  return createHash('sha256').update(`${store}\0${topicId}`).digest().subarray(0, ID_BYTES).toString('hex')
}

/** mark(1) = W, version(1) = 1, count(2), then of each: id(8) end(8); nothing when there are none. Weir's own. */
export function encodeChangelogEnds(ends: ChangelogEnds): Buffer {
  if (ends.size === 0 || ends.size > CHANGELOG_ENDS_MAX) return Buffer.alloc(0)
  const bytes = Buffer.alloc(HEADER_BYTES + ends.size * ENTRY_BYTES)
  bytes[0] = MARK
  bytes[1] = VERSION
  bytes.writeUInt16BE(ends.size, 2)
  let position = HEADER_BYTES
  for (const [id, end] of ends) {
    bytes.write(id, position, 'hex')
    bytes.writeBigInt64BE(BigInt(end), position + ID_BYTES)
    position += ENTRY_BYTES
  }
  return bytes
}

/** @returns none for bytes that are none, or of a later version: then all that the changelogs have is applied */
export function decodeChangelogEnds(bytes: Buffer): Map<string, number> {
  const ends = new Map<string, number>()
  if (bytes.length < HEADER_BYTES || bytes[0] !== MARK || bytes[1]! > VERSION) return ends
  const count = bytes.readUInt16BE(2)
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return ends
  for (let position = HEADER_BYTES; position < bytes.length; position += ENTRY_BYTES)
    ends.set(bytes.toString('hex', position, position + ID_BYTES), readInt64(bytes, position + ID_BYTES))
  return ends
}
