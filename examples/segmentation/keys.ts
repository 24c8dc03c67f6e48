/**
 * The keys of the example's stores. A store keeps its rows in the order of the keys' bytes, so the layout
 * decides what one scan can read:
 *
 *   store            key                                             one range of rows is
 *   events           user 00 type 00 timestamp(8) offset(8)          a user's events of one type within a window
 *   memberships      user 00 rule                                    (read by key only)
 *   deadlines        deadline(8) user 00 rule                        everything that has expired by now, the earliest first
 *
 * Numbers are big-endian, so that from 0 on they sort as bytes as they do as numbers. Texts end with 0x00,
 * which they must not hold: no user's rows lie between another's, whatever their names begin with. An event's
 * key ends with the record's offset: two events of the same millisecond stay two, and an event that is
 * processed again after a crash replaces itself instead of counting twice.
 *
 * In tiered stores the user is the prefix, by which rows come from Cassandra; the rest of an event's key is
 * type 00 timestamp(8) offset(8), that of a membership's is the rule.
 */
import type { ByteWriter, Serde } from '../../src/index.ts'

/** What tells a user's events apart. */
export interface EventRest {
  readonly type: string
  /** Ms since 1970. */
  readonly timestamp: number
  readonly offset: number
}

export interface EventKey extends EventRest {
  readonly user: string
}

export interface MembershipKey {
  readonly user: string
  readonly rule: string
}

export interface DeadlineKey extends MembershipKey {
  /** Ms since 1970. */
  readonly deadline: number
}

function writeText(text: string, writer: ByteWriter): void {
  if (text.includes('\0')) throw new TypeError(`${JSON.stringify(text)} holds the separator U+0000`)
  writer.writeUtf8(text)
  writer.writeUInt8(0)
}

function writeNumber(number: number, writer: ByteWriter): void {
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError(`${number} is no whole number from 0`)
  writer.writeInt64(number)
}

/** Reads texts and numbers one after the other, and only within the key. */
class KeyReader {
  readonly #buffer: Buffer
  readonly #end: number
  #position: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#position = start
    this.#end = end
  }

  text(): string {
    const start = this.#position
    const separator = this.#buffer.indexOf(0, start)
    if (separator < 0 || separator >= this.#end) throw new RangeError('a text of the key does not end')
    this.#position = separator + 1
    return this.#buffer.toString('utf8', start, separator)
  }

  number(): number {
    const start = this.#position
    if (start + 8 > this.#end) throw new RangeError('a number of the key does not end')
    this.#position = start + 8
    return Number(this.#buffer.readBigInt64BE(start))
  }

  end(): void {
    if (this.#position !== this.#end)
      throw new RangeError(`${this.#end - this.#position} bytes follow the key`)
  }
}

function readEventRest(reader: KeyReader): EventRest {
  return { type: reader.text(), timestamp: reader.number(), offset: reader.number() }
}

export const eventRest: Serde<EventRest> = {
  name: 'event-rest',
  serialize({ type, timestamp, offset }, writer) {
    writeText(type, writer)
    writeNumber(timestamp, writer)
    writeNumber(offset, writer)
  },
  deserialize(buffer, start, end) {
    const reader = new KeyReader(buffer, start, end)
    const rest = readEventRest(reader)
    reader.end()
    return rest
  },
}

export const eventKey: Serde<EventKey> = {
  name: 'event-key',
  serialize(key, writer) {
    writeText(key.user, writer)
    eventRest.serialize(key, writer)
  },
  deserialize(buffer, start, end) {
    const reader = new KeyReader(buffer, start, end)
    const key = { user: reader.text(), ...readEventRest(reader) }
    reader.end()
    return key
  },
}

export const membershipKey: Serde<MembershipKey> = {
  name: 'membership-key',
  serialize({ user, rule }, writer) {
    writeText(user, writer)
    writeText(rule, writer)
  },
  deserialize(buffer, start, end) {
    const reader = new KeyReader(buffer, start, end)
    const key = { user: reader.text(), rule: reader.text() }
    reader.end()
    return key
  },
}

export const deadlineKey: Serde<DeadlineKey> = {
  name: 'deadline-key',
  serialize({ deadline, user, rule }, writer) {
    writeNumber(deadline, writer)
    writeText(user, writer)
    writeText(rule, writer)
  },
  deserialize(buffer, start, end) {
    const reader = new KeyReader(buffer, start, end)
    const key = { deadline: reader.number(), user: reader.text(), rule: reader.text() }
    reader.end()
    return key
  },
}
