import type { Headers } from '../process/headers.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import { deserializationFailed } from './deserialization.ts'

const UNREAD = Symbol('unread')

/** A record's bytes, copied out of its batch, and its headers. */
export interface RawRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** A record that outlives its batch. The value is decoded when first read, at most once. */
export class KeptRecord implements StreamRecord<unknown, unknown> {
  readonly key: unknown
  readonly timestamp: number
  readonly raw: RawRecord
  readonly #valueSerde: Serde<unknown>
  #value: unknown = UNREAD

  constructor(raw: RawRecord, key: unknown, timestamp: number, valueSerde: Serde<unknown>) {
    this.key = key
    this.timestamp = timestamp
    this.raw = raw
    this.#valueSerde = valueSerde
  }

  /** @throws DeserializationError */
  get value(): unknown {
    if (this.#value === UNREAD) this.#value = this.#decode()
    return this.#value
  }

  /** The next reader gets a new value: processors may have changed this one. */
  forgetValue(): void {
    this.#value = UNREAD
  }

  #decode(): unknown {
    const { value } = this.raw
    if (value === null) return null
    try {
      return this.#valueSerde.deserialize(value, 0, value.length)
    } catch (error) {
      throw deserializationFailed('value', this.#valueSerde, value.length, error)
    }
  }

  /** What `value === null` says, without decoding it. */
  get valueIsNull(): boolean {
    return this.#value === UNREAD ? this.raw.value === null : this.#value === null
  }

  get headers(): Headers {
    return this.raw.headers
  }
}
