/**
 * Changelogs that Weir writes are read by Kafka Streams, and the other way round: an application changes hands, each time to empty state
 * folders. What its stores hold then is compared with models that know neither.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import type { WindowsDefinition } from '../../src/topology/definition.ts'
import { compileJava, javaClassPath } from '../services/java.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { ServerProcess } from '../services/server-process.ts'
import { Random } from '../support/seed.ts'
import { type ModelRow, SegmentedModel } from '../support/segmented-model.ts'
import { VersionedModel } from '../support/versioned-model.ts'
import { WeirProcess } from '../support/weir-process.ts'

const partitions = 2
const commandsPerTurn = 1_500
/** Between two commands: in a turn the segments of a retention of two minutes expire several times. */
const stepMs = 500
const windowSizeMs = 10_000
const keys = ['a', 'aa', 'ab', 'b', 'ba', 'cé']

/** What a partition's store must hold, and the commands that change it. */
interface StoreModel {
  /** A random command's words, done to the model. */
  change(random: Random, timestamp: number, value: string): string
  rows(): string[]
}

class KeyValueModel implements StoreModel {
  readonly #rows = new Map<string, string>()
  readonly #shown: (value: string, timestamp: number) => string

  constructor(shown: (value: string, timestamp: number) => string) {
    this.#shown = shown
  }

  change(random: Random, timestamp: number, value: string): string {
    const key = `${random.pick(keys)}${random.below(100)}`
    if (value === '-') this.#rows.delete(key)
    else this.#rows.set(key, this.#shown(value, timestamp))
    return `${key} ${value}`
  }

  rows(): string[] {
    const sorted = [...this.#rows].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return sorted.map(([key, value]) => `${key}=${value}`)
  }
}

const retention = { retentionMs: 120_000, segmentIntervalMs: 60_000, windowSizeMs, retainDuplicates: false }

/** Most times are within the retention, some have expired. */
function timeBefore(random: Random, timestamp: number): number {
  return timestamp - random.below(random.below(10) === 0 ? 400_000 : 110_000)
}

class WindowModel implements StoreModel {
  readonly #rows: SegmentedModel<string>
  readonly #windows: WindowsDefinition
  readonly #shown: (value: string, timestamp: number) => string

  constructor(windows: WindowsDefinition, shown: (value: string, timestamp: number) => string) {
    this.#windows = windows
    this.#shown = shown
    this.#rows = new SegmentedModel(windows, 4)
  }

  change(random: Random, timestamp: number, value: string): string {
    const key = random.pick(keys)
    const { retainDuplicates } = this.#windows
    // Kafka Streams numbers duplicates from 1 again after a restart: a window of one turn must not have some of the next.
    const time = retainDuplicates ? timestamp : timeBefore(random, timestamp)
    const start = time - (time % windowSizeMs)
    if (!retainDuplicates) {
      this.#rows.put(key, start, 0, value === '-' ? null : this.#shown(value, timestamp))
      return `${key} ${start} ${value}`
    }
    // No deletions: Kafka Streams logs one all the same, and its time counts in a restore only.
    const put = value === '-' ? 'again' : value
    this.#rows.put(key, start, ++this.#rows.sequence, this.#shown(put, timestamp))
    return `${key} ${start} ${put}`
  }

  rows(): string[] {
    return this.#rows
      .visible(() => true)
      .map(({ key, time, value }) => `${key}@${time}-${time + windowSizeMs}=${value}`)
  }
}

class SessionModel implements StoreModel {
  readonly #rows = new SegmentedModel<string>(retention, 8)

  change(random: Random, timestamp: number, value: string): string {
    const key = random.pick(keys)
    const end = timeBefore(random, timestamp)
    const start = end - random.pick([0, 1, 5_000, 90_000])
    this.#rows.put(key, end, start, value === '-' ? null : value)
    return `${key} ${start} ${end} ${value}`
  }

  rows(): string[] {
    const shown = ({ key, time, rest, value }: ModelRow<string>): string => `${key}@${rest}-${time}=${value}`
    return this.#rows.visible(() => true).map(shown)
  }
}

class VersionedStoreModel implements StoreModel {
  #versions = new VersionedModel(retention.retentionMs)
  readonly #deleted = new Map<string, number>()

  change(random: Random, timestamp: number, value: string): string {
    const key = random.pick(keys)
    // Kafka Streams restores no deletion that has left the history by the end of its batch of records, and then takes what was put
    // afterwards with an earlier time for valid: nothing is put before a deletion here.
    const time = Math.max(timeBefore(random, timestamp), (this.#deleted.get(key) ?? 0) + 1)
    if (value === '-') this.#deleted.set(key, time)
    const [changed] = this.#versions.put(key, value === '-' ? null : value, time)
    this.#versions = changed
    return `${key} ${time} ${value}`
  }

  rows(): string[] {
    const newest = Math.max(0, ...keys.map((key) => this.#versions.get(key)?.timestamp ?? 0))
    return keys.flatMap((key) =>
      Array.from({ length: 130 }, (_, index) => this.#versions.get(key, newest - index * 1_000))
        .map((found) => `${key}=${found === null ? null : `${found.value}#${found.timestamp}`}`)
        .filter((row, index, rows) => row !== rows[index - 1]),
    )
  }
}

const plain = (value: string): string => value
const stamped = (value: string, timestamp: number): string => `${value}#${timestamp}`

/** By the stores of every-store.ts and StoresPeer.java. */
const models: Readonly<Record<string, () => StoreModel>> = {
  plain: () => new KeyValueModel(plain),
  timestamped: () => new KeyValueModel(stamped),
  window: () => new WindowModel(retention, plain),
  duplicates: () => new WindowModel({ ...retention, retainDuplicates: true }, plain),
  'timestamped-window': () => new WindowModel(retention, stamped),
  session: () => new SessionModel(),
  versioned: () => new VersionedStoreModel(),
}

/** An application's topics, and what its stores must hold. */
class Application {
  readonly id: string
  readonly #bootstrapServers: string
  readonly #random: Random
  readonly #stores: Record<string, StoreModel>[]
  // By now, so that the broker's own retention leaves the changelogs alone.
  #now = Date.now() - (Date.now() % windowSizeMs) - 3 * commandsPerTurn * stepMs
  #value = 0
  #asked = 0

  constructor(bootstrapServers: string, id: string, random: Random) {
    this.#bootstrapServers = bootstrapServers
    this.id = id
    this.#random = random
    this.#stores = Array.from({ length: partitions }, () =>
      Object.fromEntries(Object.entries(models).map(([name, make]) => [name, make()])),
    )
  }

  async createTopics(): Promise<void> {
    await createTopics(this.#bootstrapServers, {
      [`commands-${this.id}`]: partitions,
      [`answers-${this.id}`]: 1,
    })
  }

  async change(): Promise<void> {
    const names = Object.keys(models)
    await this.#send(
      Array.from({ length: commandsPerTurn }, () => {
        this.#now += stepMs
        const partition = this.#random.below(partitions)
        const name = this.#random.pick(names)
        const value = this.#random.below(4) === 0 ? '-' : `v${this.#value++}`
        const words = this.#stores[partition]![name]!.change(this.#random, this.#now, value)
        return this.#record(partition, `${name} ${words}`)
      }),
    )
  }

  /** Asks every partition, and compares. */
  async check(): Promise<void> {
    await this.#send(this.#stores.map((_, partition) => this.#record(partition, 'tell')))
    await waitUntilConsumed(this.#bootstrapServers, this.id, [`commands-${this.id}`], { timeoutMs: 60_000 })
    this.#asked += partitions
    const answers = await readToEnd(this.#bootstrapServers, `answers-${this.id}`)
    assert.equal(answers.length, this.#asked)
    for (const { key, value } of answers.slice(-partitions)) {
      const expected = Object.entries(this.#stores[Number(key)]!).map(([name, model]) => [name, model.rows()])
      assert.deepEqual(JSON.parse(value!.toString()), Object.fromEntries(expected), `partition ${key}`)
    }
  }

  async #send(records: OutgoingRecord[]): Promise<void> {
    await produceAll(this.#bootstrapServers, records)
  }

  #record(partition: number, value: string): OutgoingRecord {
    return { topic: `commands-${this.id}`, partition, key: String(partition), value, timestamp: this.#now }
  }
}

describe('an application goes from one to the other by its changelogs', { concurrency: 1 }, () => {
  let kafka: KafkaService
  const classDir = makeScratchDir('changelogs-classes')
  before(async () => {
    ;[kafka] = await Promise.all([
      startKafka(),
      compileJava(join(import.meta.dirname, 'changelogs'), classDir),
    ])
  })
  after(() => kafka.stop())

  async function withWeir(applicationId: string, work: () => Promise<void>, inMemory = false): Promise<void> {
    await using worker = await WeirProcess.start({
      module: 'test/support/topologies/every-store.ts',
      applicationId,
      bootstrapServers: kafka.bootstrapServers,
      stateDir: makeScratchDir('changelogs-weir'),
      env: {
        WEIR_NUM_STREAM_THREADS: '1',
        WEIR_COMMIT_INTERVAL_MS: '200',
        STORES_IN_MEMORY: String(inMemory),
      },
    })
    await worker.whileRunning(work())
    await worker.stop()
  }

  async function withKafkaStreams(applicationId: string, work: () => Promise<void>): Promise<void> {
    const stateDir = makeScratchDir('changelogs-streams')
    const peer = new ServerProcess({
      name: 'StoresPeer',
      command: 'java',
      args: [
        '-Xmx256m',
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-cp',
        javaClassPath(classDir),
        'StoresPeer',
        kafka.bootstrapServers,
        applicationId,
        stateDir,
      ],
      logFile: join(stateDir, 'log'),
      isReady: (log) => log.includes('running'),
      startTimeoutMs: 60_000,
    })
    await peer.start()
    try {
      await work()
    } finally {
      await peer.kill('SIGTERM', 60_000)
      rmSync(stateDir, { recursive: true })
    }
  }

  const hands = {
    weir: withWeir,
    'weir in memory': (applicationId: string, work: () => Promise<void>) =>
      withWeir(applicationId, work, true),
    'kafka-streams': withKafkaStreams,
  } as const
  for (const turns of [
    ['weir', 'kafka-streams', 'weir'],
    ['kafka-streams', 'weir in memory'],
  ] as const) {
    test(turns.join(' to '), async (t) => {
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const application = new Application(kafka.bootstrapServers, `from-${turns[0]}`, random)
      await application.createTopics()
      for (const [index, turn] of turns.entries()) {
        await hands[turn](application.id, async () => {
          if (index > 0) await application.check()
          await application.change()
          await application.check()
        })
      }
    })
  }
})
