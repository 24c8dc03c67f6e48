import { deserializationFailed } from '../consume/deserialization.ts'
import { Headers } from '../process/headers.ts'
import type { Serde } from '../serde/serde.ts'
import { checkOptions, checkSerde } from '../topology/options.ts'
import type { LocalRecord } from './local-topics.ts'

export interface TestOutputTopicOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** A record that the topology has written. */
export interface TestRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** ms since 1970 */
  readonly timestamp: number
  readonly headers: Headers
}

export interface OutputTopicEnvironment {
  /** The serde as it is used for the topic. */
  bind<T>(serde: Serde<T>, part: 'key' | 'value'): Serde<T>
  /** True while something that was piped has not gone through. */
  readonly isBusy: boolean
  /** What was not read yet. Throws when the driver is closed. */
  written(topic: string): LocalRecord[]
}

/**
 * Reads what the topology has written to a topic, each record once, in order. Kafka Streams' TestOutputTopic.
 *
 * Every method throws a WeirError `closed` after the driver was closed; those that read one record a RangeError when there is none; those that read a
 * TypeError when a serde cannot read the bytes.
 */
export class TestOutputTopic<K, V> {
  readonly topic: string
  readonly #environment: OutputTopicEnvironment
  readonly #key: Serde<K>
  readonly #value: Serde<V>

  /** @internal */
  constructor(topic: string, options: TestOutputTopicOptions<K, V>, environment: OutputTopicEnvironment) {
    const where = `output topic ${topic}`
    checkOptions(where, options ?? null, ['key', 'value'])
    checkSerde(where, 'key', options.key)
    checkSerde(where, 'value', options.value)
    this.topic = topic
    this.#environment = environment
    this.#key = environment.bind(options.key, 'key')
    this.#value = environment.bind(options.value, 'value')
  }

  /** How many records are left to be read. */
  get queueSize(): number {
    return this.#environment.written(this.topic).length
  }

  get isEmpty(): boolean {
    return this.queueSize === 0
  }

  readRecord(): TestRecord<K, V> {
    const next = this.#environment.written(this.topic).shift()
    if (next === undefined) {
      const hint = this.#environment.isBusy ? '; what was piped is still under way: await it' : ''
      throw new RangeError(`output topic ${this.topic}: there is no record to read${hint}`)
    }
    return {
      key: this.#read('key', this.#key, next.key),
      value: this.#read('value', this.#value, next.value),
      timestamp: next.timestamp,
      headers: next.headers === null ? Headers.empty : Headers.decode(next.headers, 0),
    }
  }

  readValue(): V | null {
    return this.readRecord().value
  }

  readKeyValue(): { readonly key: K | null; readonly value: V | null } {
    const { key, value } = this.readRecord()
    return { key, value }
  }

  /** All that are left. */
  readRecordsToList(): TestRecord<K, V>[] {
    return this.#rest(() => this.readRecord())
  }

  /** All that are left. */
  readKeyValuesToList(): { readonly key: K | null; readonly value: V | null }[] {
    return this.#rest(() => this.readKeyValue())
  }

  /** All that are left. */
  readValuesToList(): (V | null)[] {
    return this.#rest(() => this.readValue())
  }

  /** All that are left: the last value of each key. */
  readKeyValuesToMap(): Map<K | null, V | null> {
    return new Map(this.readKeyValuesToList().map(({ key, value }) => [key, value]))
  }

  #rest<T>(read: () => T): T[] {
    const all: T[] = []
    while (!this.isEmpty) all.push(read())
    return all
  }

  #read<T>(part: 'key' | 'value', serde: Serde<T>, bytes: Buffer | null): T | null {
    if (bytes === null) return null
    try {
      return serde.deserialize(bytes, 0, bytes.length)
    } catch (error) {
      const { message } = deserializationFailed(part, serde as Serde<unknown>, bytes.length, error)
      throw new TypeError(`output topic ${this.topic}: ${message}`, { cause: error })
    }
  }
}
