import assert from 'node:assert/strict'
import { join } from 'node:path'

import type cassandra from 'cassandra-driver'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { CassandraService } from '../services/cassandra.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import type { Random } from './seed.ts'
import { untilWritten } from './tiered-worker.ts'
import type { CustomerEvent, Visit } from './topologies/tiered-join.ts'
import { runWeir, WeirProcess } from './weir-process.ts'

const MODULE = 'test/support/topologies/tiered-join.ts'
const KEYSPACE = 'weir_test'
const PARTITIONS = 2
const ORDERS_OF_CUSTOMER = 12

export interface TieredJoinApplicationOptions {
  readonly bootstrapServers: string
  readonly service: CassandraService
  readonly client: cassandra.Client
  /** Of the application, its topics and its table. */
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
}

/** An application of topologies/tiered-join.ts, with what it was given, and what should be of it in its topic and in its table. */
export class TieredJoinApplication {
  readonly #options: TieredJoinApplicationOptions
  readonly #stateDir: string
  /** By customer and number. */
  readonly #orders = new Map<string, Map<number, number>>()
  /** What each visit should be told. */
  readonly #visits = new Map<number, Visit['orders']>()

  private constructor(options: TieredJoinApplicationOptions) {
    this.#options = options
    this.#stateDir = makeScratchDir(options.name)
  }

  /** Makes its topics, and its table by `weir cassandra init`. */
  static async make(options: TieredJoinApplicationOptions): Promise<TieredJoinApplication> {
    const application = new TieredJoinApplication(options)
    const { name, bootstrapServers } = options
    await createTopics(bootstrapServers, { [`${name}-events`]: PARTITIONS, [`${name}-visited`]: PARTITIONS })
    const { code, stderr } = await runWeir(
      ['cassandra', 'init', MODULE, '--replication', '1'],
      application.#env,
    )
    assert.equal(code, 0, stderr)
    return application
  }

  get #table(): string {
    return this.#options.name.replaceAll('-', '_')
  }

  get #env(): Record<string, string> {
    const { service, name, env } = this.#options
    return {
      TIERED_PREFIX: `${name}-`,
      // Names of tables have no dashes.
      TIERED_TABLE: this.#table,
      WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${service.port}`,
      WEIR_CASSANDRA_LOCAL_DATACENTER: service.localDataCenter,
      WEIR_CASSANDRA_KEYSPACE: KEYSPACE,
      WEIR_COMMIT_INTERVAL_MS: '300',
      ...env,
    }
  }

  /** @param disk one that no process has had is empty */
  start(disk: string): Promise<WeirProcess> {
    const { bootstrapServers, name } = this.#options
    return WeirProcess.start({
      module: MODULE,
      applicationId: name,
      bootstrapServers,
      stateDir: join(this.#stateDir, disk),
      env: this.#env,
    })
  }

  /** Of a process. */
  config(): Config {
    const { bootstrapServers, name } = this.#options
    const settings = Object.entries(this.#env).filter(([variable]) => variable.startsWith('WEIR_'))
    return loadConfig({
      WEIR_APPLICATION_ID: name,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_STATE_DIR: join(this.#stateDir, 'here'),
      WEIR_MEMORY_BYTES: '768MiB',
      ...Object.fromEntries(settings),
    })
  }

  /** Events of random customers: orders, orders that are taken back, visits. */
  async give(random: Random, events: number, customers: number): Promise<void> {
    const { bootstrapServers, name } = this.#options
    await produceAll(
      bootstrapServers,
      Array.from({ length: events }, () => {
        const key = `customer ${random.below(customers)}`
        return {
          topic: `${name}-events`,
          key,
          value: JSON.stringify(this.#event(random, key)),
          timestamp: Date.now(),
        }
      }),
    )
  }

  #event(random: Random, customer: string): CustomerEvent {
    const orders = this.#orders.get(customer) ?? new Map<number, number>()
    this.#orders.set(customer, orders)
    if (random.below(3) === 0) {
      const visit = this.#visits.size
      this.#visits.set(visit, sorted(orders))
      return { visit }
    }
    const order = random.below(ORDERS_OF_CUSTOMER)
    const amount = random.below(4) === 0 ? null : random.below(1_000)
    if (amount === null) orders.delete(order)
    else orders.set(order, amount)
    return { order, amount }
  }

  /** Waits until all that was given is committed, and in Cassandra. */
  async written(worker: WeirProcess): Promise<void> {
    await this.consumed(worker)
    await untilWritten(worker)
  }

  /** Waits until all that was given is committed. */
  async consumed(worker: WeirProcess): Promise<void> {
    const { bootstrapServers, name } = this.#options
    await worker.whileRunning(
      waitUntilConsumed(bootstrapServers, name, [`${name}-events`], { timeoutMs: 120_000 }),
    )
  }

  /** Each visit was told the orders that there were, and the table has those that there are. REQUIRES that no worker died before it had committed everything. */
  async assertJoined(told: string): Promise<void> {
    const { bootstrapServers, name } = this.#options
    const visits = new Map<number, Visit['orders']>()
    for (const { value } of await readToEnd(bootstrapServers, `${name}-visited`)) {
      const { visit, orders } = JSON.parse(value!.toString()) as Visit
      visits.set(visit, orders)
    }
    assert.ok(this.#visits.size > 0, told)
    assert.deepEqual(new Map([...visits].sort(([a], [b]) => a - b)), this.#visits, told)
    await this.assertRows(told)
  }

  /** The table has the orders that there are. */
  async assertRows(told: string): Promise<void> {
    const { client } = this.#options
    const result = await client.execute(`SELECT prefix, rest, value FROM ${KEYSPACE}."${this.#table}"`, [], {
      fetchSize: 5_000,
    })
    const rows = result.rows.map(({ prefix, rest, value }) => [
      (prefix as Buffer).toString(),
      (rest as Buffer).readInt32BE(),
      (value as Buffer).readInt32BE(),
    ])
    const should = [...this.#orders].flatMap(([customer, orders]) =>
      sorted(orders).map(([order, amount]) => [customer, order, amount]),
    )
    assert.deepEqual(rows.map(String).sort(), should.map(String).sort(), told)
  }
}

function sorted(orders: ReadonlyMap<number, number>): [number, number][] {
  return [...orders].sort(([a], [b]) => a - b)
}
