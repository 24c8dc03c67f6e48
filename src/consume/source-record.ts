import { Headers } from '../process/headers.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import { deserializationFailed } from './deserialization.ts'
import type { RawRecord } from './kept-record.ts'
import type { RecordBatch } from './record-batch.ts'

const UNREAD = Symbol('unread')

/**
 * One record of a batch. The value and the headers are decoded from the batch's arena when first read, at most once; after the batch has
 * been given back an unread field throws instead of showing another record's bytes.
 */
export class SourceRecord implements StreamRecord<unknown, unknown> {
  readonly key: unknown
  readonly timestamp: number
  private readonly batch: RecordBatch
  private readonly index: number
  private readonly generation: number
  private readonly valueSerde: Serde<unknown>
  private decodedValue: unknown = UNREAD
  private decodedHeaders: Headers | null = null

  constructor(
    batch: RecordBatch,
    index: number,
    key: unknown,
    timestamp: number,
    valueSerde: Serde<unknown>,
  ) {
    this.key = key
    this.timestamp = timestamp
    this.batch = batch
    this.index = index
    this.generation = batch.generation
    this.valueSerde = valueSerde
  }

  /** The same record with another timestamp; what was decoded is not decoded again. */
  at(timestamp: number): SourceRecord {
    if (timestamp === this.timestamp) return this
    const record = new SourceRecord(this.batch, this.index, this.key, timestamp, this.valueSerde)
    record.decodedValue = this.decodedValue
    record.decodedHeaders = this.decodedHeaders
    return record
  }

  get value(): unknown {
    if (this.decodedValue === UNREAD) {
      this.checkGeneration('value')
      const { batch, index } = this
      const length = batch.valueLength[index]!
      const start = batch.valueStart[index]!
      if (length < 0) {
        this.decodedValue = null
      } else {
        try {
          this.decodedValue = this.valueSerde.deserialize(batch.arena, start, start + length)
        } catch (error) {
          throw deserializationFailed('value', this.valueSerde, length, error)
        }
      }
    }
    return this.decodedValue
  }

  /** What `value === null` says, without decoding it: for operators that need to know no more. */
  get valueIsNull(): boolean {
    if (this.decodedValue !== UNREAD) return this.decodedValue === null
    this.checkGeneration('value')
    return this.batch.valueLength[this.index]! < 0
  }

  get headers(): Headers {
    if (this.decodedHeaders === null) {
      this.checkGeneration('headers')
      const { batch, index } = this
      this.decodedHeaders = decodeHeaders(batch, index)
    }
    return this.decodedHeaders
  }

  private checkGeneration(field: string): void {
    if (this.generation !== this.batch.generation) {
      throw new Error(
        `the record's ${field} was first read after its processing had ended: read it earlier, or keep a copyRecord()`,
      )
    }
  }
}

export function rawRecord(batch: RecordBatch, index: number): RawRecord {
  const part = (start: number, length: number): Buffer | null =>
    length < 0 ? null : Buffer.from(batch.arena.subarray(start, start + length))
  return {
    key: part(batch.keyStart[index]!, batch.keyLength[index]!),
    value: part(batch.valueStart[index]!, batch.valueLength[index]!),
    headers: decodeHeaders(batch, index),
  }
}

function decodeHeaders(batch: RecordBatch, index: number): Headers {
  return batch.headersLength[index]! < 0
    ? Headers.empty
    : Headers.decode(batch.arena, batch.headersStart[index]!)
}

/** @returns the decoded key of a batch's record, null for a null key */
export function decodeKey(batch: RecordBatch, index: number, serde: Serde<unknown>): unknown {
  const length = batch.keyLength[index]!
  if (length < 0) return null
  const start = batch.keyStart[index]!
  try {
    return serde.deserialize(batch.arena, start, start + length)
  } catch (error) {
    throw deserializationFailed('key', serde, length, error)
  }
}
