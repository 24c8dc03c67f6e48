import { Headers } from './headers.ts'
import type { StreamRecord } from './record.ts'
import type { RecordOrigin } from './record-origin.ts'

/** Of a slot's numbers: offset and timestamp. */
const NUMBERS = 2
const SLOTS_MIN = 64

/** Who knows where the record at work came from: an operator's context. */
interface OriginSource {
  origin(record: StreamRecord<unknown, unknown> | null, into: RecordOrigin | null): RecordOrigin
}

/**
 * Where records came from whose effects are forwarded later, by slot: columns, since objects that live that long are what a collector takes
 * its time with. Inputs are few, and most records have no headers.
 */
export class RecordOrigins {
  readonly #inputs: { readonly topic: string; readonly partition: number }[] = []
  /** Of each slot its place in `#inputs`. */
  #inputOf = new Uint16Array(SLOTS_MIN)
  #numbers = new Float64Array(SLOTS_MIN * NUMBERS)
  /** Of the slots that have some. */
  readonly #headers = new Map<number, Headers>()
  readonly #origin: RecordOrigin = {
    topic: '',
    partition: 0,
    offset: 0,
    timestamp: 0,
    headers: Headers.empty,
  }

  /** In the place of what the slot had. @param record null: none is at work */
  keep(slot: number, record: StreamRecord<unknown, unknown> | null, source: OriginSource): void {
    const { topic, partition, offset, timestamp, headers } = source.origin(record, this.#origin)
    if (slot >= this.#inputOf.length) this.#grow(slot)
    this.#inputOf[slot] = this.#input(topic, partition)
    this.#numbers[slot * NUMBERS] = offset
    this.#numbers[slot * NUMBERS + 1] = timestamp
    if (headers !== Headers.empty) this.#headers.set(slot, headers)
    else if (this.#headers.size > 0) this.#headers.delete(slot)
  }

  of(slot: number): RecordOrigin {
    const { topic, partition } = this.#inputs[this.#inputOf[slot]!]!
    return {
      topic,
      partition,
      offset: this.#numbers[slot * NUMBERS]!,
      timestamp: this.#numbers[slot * NUMBERS + 1]!,
      headers: this.#headers.get(slot) ?? Headers.empty,
    }
  }

  /** The slot is another's: what it held on to goes. */
  forget(slot: number): void {
    if (this.#headers.size > 0) this.#headers.delete(slot)
  }

  #input(topic: string, partition: number): number {
    const inputs = this.#inputs
    for (let index = 0; index < inputs.length; index++) {
      const input = inputs[index]!
      if (input.partition === partition && input.topic === topic) return index
    }
    return inputs.push({ topic, partition }) - 1
  }

  #grow(slot: number): void {
    const slots = Math.max(2 * this.#inputOf.length, slot + 1)
    const inputOf = new Uint16Array(slots)
    const numbers = new Float64Array(slots * NUMBERS)
    inputOf.set(this.#inputOf)
    numbers.set(this.#numbers)
    this.#inputOf = inputOf
    this.#numbers = numbers
  }
}
