import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import cassandra from 'cassandra-driver'

import {
  createTopics,
  lagOf,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { processorMetadataOf } from '../../src/commit/offset-metadata.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Consumer } from '../../src/native.ts'
import type { Application } from '../../src/runtime/application.ts'
import { startApplication } from '../../src/runtime/start-application.ts'
import type { CassandraService } from '../services/cassandra.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { superuser } from './cassandra-security.ts'
import type { Random } from './seed.ts'
import type { RowUpdate } from './topologies/cassandra-rows.ts'
import { type ExitResult, runWeir, sameMember, WeirProcess } from './weir-process.ts'

export const ROWS_MODULE = 'test/support/topologies/cassandra-rows.ts'
const KEYSPACE = 'weir_test'

/** By `owner/id`. */
type Rows = Map<string, { readonly number: number; readonly text: string }>

/** A client of the test's own, which shares no code with Weir. */
export function connect(service: CassandraService): cassandra.Client {
  const client = new cassandra.Client({
    contactPoints: [`${service.host}:${service.port}`],
    localDataCenter: service.localDataCenter,
    credentials: superuser,
    policies: {
      reconnection: new cassandra.policies.reconnection.ConstantReconnectionPolicy(200),
    },
  })
  // The driver forgets a node that was away, with its timers: the test would not end.
  client.on('hostRemove', (host: { shutdown(waits: boolean): Promise<void> }) => void host.shutdown(false))
  return client
}

export interface RowsApplicationOptions {
  readonly bootstrapServers: string
  readonly service: CassandraService
  readonly client: cassandra.Client
  /** Of the application, its topics and its table. */
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
}

/** An application of topologies/cassandra-rows.ts, with the updates that it was given, and what should be in its table. */
export class RowsApplication {
  readonly #options: RowsApplicationOptions
  readonly #stateDir: string
  #number = 0

  private constructor(options: RowsApplicationOptions) {
    this.#options = options
    this.#stateDir = makeScratchDir(options.name)
  }

  /** Makes its topics, and its table by `weir cassandra init`. */
  static async make(options: RowsApplicationOptions): Promise<RowsApplication> {
    const application = new RowsApplication(options)
    await createTopics(options.bootstrapServers, application.topics)
    return application
  }

  get topics(): Record<string, number> {
    const { name } = this.#options
    return {
      [`${name}-updates`]: 2,
      [`${name}-plain`]: 2,
      [`${name}-counts`]: 2,
      [`${name}-through`]: 2,
      [`${name}-letters`]: 1,
    }
  }

  topic(what: string): string {
    return `${this.#options.name}-${what}`
  }

  get env(): Record<string, string> {
    const { service, name, env } = this.#options
    return {
      ROWS_PREFIX: `${name}-`,
      ROWS_TABLE: name,
      WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${service.port}`,
      WEIR_CASSANDRA_LOCAL_DATACENTER: service.localDataCenter,
      WEIR_CASSANDRA_KEYSPACE: KEYSPACE,
      WEIR_CASSANDRA_USERNAME: superuser.username,
      WEIR_CASSANDRA_PASSWORD: superuser.password,
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_COMMIT_INTERVAL_MS: '300',
      ...sameMember,
      ...env,
    }
  }

  /** `weir cassandra init`. */
  init(...args: string[]): Promise<ExitResult> {
    return runWeir(['cassandra', 'init', ROWS_MODULE, ...args], this.env)
  }

  /** `weir run`, of what ends by itself. */
  run(env: Readonly<Record<string, string>> = {}): Promise<ExitResult> {
    const { bootstrapServers, name } = this.#options
    return runWeir(['run', ROWS_MODULE], {
      WEIR_APPLICATION_ID: name,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_STATE_DIR: join(this.#stateDir, 'run'),
      WEIR_HTTP_PORT: '-1',
      ...this.env,
      ...env,
    })
  }

  start(env: Readonly<Record<string, string>> = {}, process = 'one'): Promise<WeirProcess> {
    const { bootstrapServers, name } = this.#options
    return WeirProcess.start({
      module: ROWS_MODULE,
      applicationId: name,
      bootstrapServers,
      stateDir: join(this.#stateDir, process),
      env: { ...this.env, ...env },
    })
  }

  /** Of a process. */
  config(env: Readonly<Record<string, string>> = {}): Config {
    const { bootstrapServers, name } = this.#options
    const settings = Object.entries({ ...this.env, ...env }).filter(([variable]) =>
      variable.startsWith('WEIR_'),
    )
    return loadConfig({
      WEIR_APPLICATION_ID: name,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_STATE_DIR: join(this.#stateDir, 'here'),
      WEIR_MEMORY_BYTES: '768MiB',
      ...Object.fromEntries(settings),
    })
  }

  /** In this process: it waits for longer than a machine under load takes for a Cassandra. @param log gets the lines */
  async startHere(log: (message: string) => void, signal: AbortSignal): Promise<Application> {
    const { ROWS_PREFIX, ROWS_TABLE } = this.env
    // The topology asks for them in each thread.
    Object.assign(process.env, { ROWS_PREFIX, ROWS_TABLE })
    const line = (_: object, message: string): void => log(message)
    return await startApplication({
      topology: ROWS_MODULE,
      config: this.config(),
      logger: { debug: () => {}, info: line, warn: line, error: line },
      startTimeoutMs: 300_000,
      signal,
    })
  }

  /** Random updates and deletes of some rows, by clocks that are wrong by up to a second; numbers go up. */
  async give(random: Random, records: number, keys: number): Promise<void> {
    const topic = this.topic('updates')
    const since = Date.now() - 60_000
    await produceAll(
      this.#options.bootstrapServers,
      Array.from({ length: records }, () => {
        const number = ++this.#number
        const key = random.below(keys)
        const update: RowUpdate = { number, text: `text ${random.below(1_000_000)}` }
        const value = random.below(6) === 0 ? null : JSON.stringify(update)
        return {
          topic,
          key: `owner ${key % Math.ceil(keys / 7)}/${key}`,
          value,
          timestamp: since + number + random.below(1_000),
        }
      }),
    )
  }

  /** An update that is made a row of so many bytes. The row is in the table neither before nor after. */
  async giveLarge(length: number): Promise<void> {
    const update: RowUpdate = { number: ++this.#number, text: 'large', length }
    const topic = this.topic('updates')
    const record = { topic, key: 'large/1', value: JSON.stringify(update), timestamp: Date.now() }
    await produceAll(this.#options.bootstrapServers, [record])
  }

  async givePlain(records: number): Promise<void> {
    const topic = this.topic('plain')
    await produceAll(
      this.#options.bootstrapServers,
      Array.from({ length: records }, (_, index) => ({
        topic,
        key: `k${index % 10}`,
        value: 'x',
        timestamp: Date.now(),
      })),
    )
  }

  /** Waits until all of a topic, and of what the rows go through, is committed. */
  async consumed(worker: WeirProcess | null, ...topics: readonly string[]): Promise<void> {
    const { bootstrapServers, name } = this.#options
    const names = topics.map((topic) => this.topic(topic))
    const consumed = waitUntilConsumed(bootstrapServers, name, names, { timeoutMs: 120_000 })
    await (worker?.whileRunning(consumed) ?? consumed)
  }

  /** Records that are not committed. */
  async remaining(topic: string): Promise<number> {
    const { bootstrapServers, name } = this.#options
    return (await lagOf(bootstrapServers, name, [this.topic(topic)])).remaining
  }

  /** What the updates make of the table, computed from the topic. */
  async expectedRows(): Promise<Rows> {
    const rows: Rows = new Map()
    const records = await readToEnd(this.#options.bootstrapServers, this.topic('updates'))
    for (const { key, value } of records.toSorted(
      (a, b) => a.partition - b.partition || a.offset - b.offset,
    )) {
      const name = key!.toString()
      if (value === null) rows.delete(name)
      else {
        const { number, text, length } = JSON.parse(value.toString()) as RowUpdate
        if (length === undefined) rows.set(name, { number, text })
      }
    }
    return rows
  }

  /** How often its tasks have started, as the group has it: the least of them. */
  async starts(): Promise<number> {
    const { bootstrapServers, name } = this.#options
    const metadata = await committedMetadata(bootstrapServers, name, this.topic('updates'))
    return Math.min(...metadata.map((one) => processorMetadataOf([one]).get('weir.cassandra.starts') ?? 0))
  }

  async rows(): Promise<Rows> {
    const { client, name } = this.#options
    const result = await client.execute(`SELECT owner, id, number, text FROM ${KEYSPACE}."${name}"`, [], {
      fetchSize: 5_000,
    })
    return new Map(
      result.rows.map(({ owner, id, number, text }) => [
        `${owner as string}/${id as number}`,
        { number: number as number, text: text as string },
      ]),
    )
  }

  /** The table is what the updates make of it. */
  async assertRows(told: string): Promise<void> {
    const [is, should] = [await this.rows(), await this.expectedRows()]
    assert.ok(should.size > 0, told)
    assert.deepEqual(new Map([...is].sort()), new Map([...should].sort()), told)
  }

  /** Looks at the rows again and again: none may go back to what it was. */
  watch(): AsyncDisposable & { readonly looks: () => number } {
    const highest = new Map<string, number>()
    const wrong: string[] = []
    let looks = 0
    let isOver = false
    const look = async (): Promise<void> => {
      while (!isOver) {
        for (const [key, { number }] of await this.rows()) {
          const before = highest.get(key) ?? 0
          if (number < before) wrong.push(`${key} went from ${before} to ${number}`)
          highest.set(key, Math.max(before, number))
        }
        looks++
        await sleep(10)
      }
    }
    const done = look()
    return {
      looks: () => looks,
      [Symbol.asyncDispose]: async () => {
        isOver = true
        await done
        assert.deepEqual(wrong, [])
      },
    }
  }
}

async function committedMetadata(bootstrapServers: string, group: string, topic: string): Promise<string[]> {
  const consumer = new Consumer({ 'bootstrap.servers': bootstrapServers, 'group.id': group }, () => {})
  try {
    const partitions = [0, 1].map((partition) => ({ topic, partition }))
    return (await consumer.committed(partitions, 30_000)).map(({ metadata }) => metadata ?? '')
  } finally {
    await consumer.close()
  }
}
