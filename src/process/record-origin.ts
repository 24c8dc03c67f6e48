/** Where a record came from, for what is forwarded later: as memory and as bytes. */
import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import { Headers } from './headers.ts'

/** What is kept of a record whose effect is forwarded later. */
export interface RecordOrigin {
  topic: string
  partition: number
  /** -1: none, a punctuator was at work. */
  offset: number
  /** ms */
  timestamp: number
  headers: Headers
}

/** timestamp(8) offset(8) topicLength(4) topic partition(4) headers. Kafka Streams' ProcessorRecordContext.serialize. */
export function writeRecordOrigin(origin: RecordOrigin, writer: ByteWriter): void {
  const { timestamp, offset, topic, partition, headers } = origin
  writer.writeInt64(timestamp)
  writer.writeInt64(offset)
  const name = Buffer.from(topic)
  writer.writeInt32(name.length)
  writer.writeBytes(name)
  writer.writeInt32(partition)
  headers.encode(writer)
}

/** Reads one part of a row after the other. */
export class PartReader {
  readonly buffer: Buffer
  readonly #start: number
  readonly #end: number
  #at: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer
    this.#start = start
    this.#end = end
    this.#at = start
  }

  /**
   * Goes over so many bytes.
   *
   * @returns where they begin
   * @throws RangeError when there are fewer
   */
  take(bytes: number): number {
    const from = this.#at
    if (bytes < 0 || bytes > this.#end - from)
      throw new RangeError(
        `a buffered record ends after ${this.#end - this.#start} bytes, in the middle of a part`,
      )
    this.#at += bytes
    return from
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  int64(): number {
    return readInt64(this.buffer, this.take(8))
  }

  /** @throws RangeError when there are bytes left */
  done(): void {
    if (this.#at !== this.#end)
      throw new RangeError(`a buffered record ends ${this.#end - this.#at} bytes before its row`)
  }
}

/**
 * What `writeRecordOrigin` has written.
 *
 * @throws RangeError for bytes that end too early
 */
export function readRecordOrigin(reader: PartReader): RecordOrigin {
  const timestamp = reader.int64()
  const offset = reader.int64()
  const topicLength = reader.int32()
  const topicStart = reader.take(topicLength)
  const topic = reader.buffer.utf8Slice(topicStart, topicStart + topicLength)
  const partition = reader.int32()
  return { topic, partition, offset, timestamp, headers: readHeaders(reader) }
}

/** None for a count of -1, as old versions wrote it. */
function readHeaders(reader: PartReader): Headers {
  const start = reader.take(4)
  const count = reader.buffer.readInt32BE(start)
  if (count <= 0) return Headers.empty
  for (let index = 0; index < count; index++) {
    reader.take(reader.int32())
    reader.take(Math.max(0, reader.int32()))
  }
  return Headers.decode(reader.buffer, start)
}
