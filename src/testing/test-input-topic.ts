import { messageOf } from '../errors/weir-error.ts'
import { Headers } from '../process/headers.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import { checkOptions, checkSerde } from '../topology/options.ts'
import type { LocalRecord } from './local-topics.ts'

export interface TestInputTopicOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** The timestamp of the first record that is piped without one, ms since 1970. Default: the driver's wall-clock time now. */
  readonly startTimestamp?: number
  /** By how much the timestamp of each such record is later than that of the one before, ms. Default: 0. */
  readonly autoAdvanceMs?: number
}

/** A record to pipe. */
export interface TestInputRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** ms since 1970. Default: the topic's own time, which then advances. */
  readonly timestamp?: number
  /** Default: none. */
  readonly headers?: Headers
}

export interface InputTopicEnvironment {
  /** The serde as it is used for the topic. */
  bind<T>(serde: Serde<T>, part: 'key' | 'value'): Serde<T>
  readonly wallClockTimeMs: number
  pipe(topic: string, record: LocalRecord): Promise<void>
}

/**
 * Pipes records into a topic that the topology reads. Kafka Streams' TestInputTopic. A piped record has gone through the whole topology when its promise
 * resolves.
 *
 * Every method rejects with a TypeError for a key or value that its serde cannot write, a RangeError for a timestamp that is none, a WeirError
 * `processing-failed` or `deserialization-failed` for what the topology threw, and `closed` after the driver was closed or has failed.
 */
export class TestInputTopic<K, V> {
  readonly topic: string
  readonly #environment: InputTopicEnvironment
  readonly #key: Serde<K>
  readonly #value: Serde<V>
  readonly #autoAdvanceMs: number
  #timestamp: number

  /** @internal */
  constructor(topic: string, options: TestInputTopicOptions<K, V>, environment: InputTopicEnvironment) {
    const where = `input topic ${topic}`
    checkOptions(where, options ?? null, ['key', 'value', 'startTimestamp', 'autoAdvanceMs'])
    const { key, value, startTimestamp = environment.wallClockTimeMs, autoAdvanceMs = 0 } = options
    checkSerde(where, 'key', key)
    checkSerde(where, 'value', value)
    checkTime(where, 'startTimestamp', startTimestamp)
    checkTime(where, 'autoAdvanceMs', autoAdvanceMs)
    this.topic = topic
    this.#environment = environment
    this.#key = environment.bind(key, 'key')
    this.#value = environment.bind(value, 'value')
    this.#timestamp = startTimestamp
    this.#autoAdvanceMs = autoAdvanceMs
  }

  /** @param timestamp ms since 1970; default: the topic's own time, which then advances */
  pipeInput(key: K | null, value: V | null, timestamp?: number): Promise<void> {
    return this.pipeRecord({ key, value, ...(timestamp !== undefined && { timestamp }) })
  }

  /** A record without a key. */
  pipeValue(value: V | null, timestamp?: number): Promise<void> {
    return this.pipeInput(null, value, timestamp)
  }

  async pipeRecord(record: TestInputRecord<K, V>): Promise<void> {
    const where = `input topic ${this.topic}`
    checkOptions(where, record ?? null, ['key', 'value', 'timestamp', 'headers'])
    if (record.timestamp !== undefined) checkTime(where, 'timestamp', record.timestamp)
    const key = this.#bytes('key', this.#key as Serde<unknown>, record.key)
    const value = this.#bytes('value', this.#value as Serde<unknown>, record.value)
    const { timestamp = this.#timestamp, headers = Headers.empty } = record
    if (record.timestamp === undefined) this.#timestamp += this.#autoAdvanceMs
    await this.#environment.pipe(this.topic, { timestamp, key, value, headers: encoded(headers) })
  }

  /** One after the other. */
  async pipeRecords(records: Iterable<TestInputRecord<K, V>>): Promise<void> {
    for (const record of records) await this.pipeRecord(record)
  }

  /** Moves the topic's own time on. Not the driver's: see TopologyTestDriver.advanceWallClockTime. */
  advanceTime(ms: number): void {
    checkTime(`input topic ${this.topic}`, 'advanceTime', ms)
    this.#timestamp += ms
  }

  #bytes(part: 'key' | 'value', serde: Serde<unknown>, what: unknown): Buffer | null {
    if (what === null || what === undefined) return null
    const writer = new ByteWriter(64)
    try {
      serde.serialize(what, writer)
    } catch (error) {
      throw new TypeError(
        `input topic ${this.topic}: the ${part} cannot be written as ${serde.name}: ${messageOf(error)}`,
        { cause: error },
      )
    }
    return writer.copyFrom(0)
  }
}

function encoded(headers: Headers): Buffer | null {
  if (headers.length === 0) return null
  const writer = new ByteWriter(64)
  headers.encode(writer)
  return writer.copyFrom(0)
}

export function checkTime(where: string, what: string, time: unknown): void {
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time < 0) {
    throw new RangeError(`${where}: ${what} is ${String(time)}; allowed is a whole number of ms from 0`)
  }
}
