import assert from 'node:assert/strict'
import { join } from 'node:path'

import type cassandra from 'cassandra-driver'

import {
  createTopics,
  lagOf,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import type { CassandraService } from '../services/cassandra.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import type { Random } from './seed.ts'
import { untilWritten } from './tiered-worker.ts'
import type { Count, NumberedRecord } from './topologies/tiered-count.ts'
import { type ExitResult, runWeir, WeirProcess } from './weir-process.ts'

const MODULE = 'test/support/topologies/tiered-count.ts'
const KEYSPACE = 'weir_test'
const PARTITIONS = 2

export interface TieredApplicationOptions {
  readonly bootstrapServers: string
  readonly service: CassandraService
  readonly client: cassandra.Client
  /** Of the application, its topics and its table. */
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
}

/** An application of topologies/tiered-count.ts, with the records that it was given, and what should be of them in its topic and in its table. */
export class TieredApplication {
  readonly #options: TieredApplicationOptions
  readonly #stateDir: string
  readonly #counts = new Map<string, Count>()
  #number = 0

  private constructor(options: TieredApplicationOptions) {
    this.#options = options
    this.#stateDir = makeScratchDir(options.name)
  }

  /** Makes its topics, and its table by `weir cassandra init`. */
  static async make(options: TieredApplicationOptions): Promise<TieredApplication> {
    const application = new TieredApplication(options)
    const { name, bootstrapServers } = options
    await createTopics(bootstrapServers, { [`${name}-numbers`]: PARTITIONS, [`${name}-counted`]: PARTITIONS })
    const { code, stderr } = await application.init()
    assert.equal(code, 0, stderr)
    return application
  }

  get env(): Record<string, string> {
    const { service, name, env } = this.#options
    return {
      TIERED_PREFIX: `${name}-`,
      TIERED_TABLE: table(name),
      WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${service.port}`,
      WEIR_CASSANDRA_LOCAL_DATACENTER: service.localDataCenter,
      WEIR_CASSANDRA_KEYSPACE: KEYSPACE,
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_COMMIT_INTERVAL_MS: '300',
      ...env,
    }
  }

  /** `weir cassandra init`. */
  init(): Promise<ExitResult> {
    return runWeir(['cassandra', 'init', MODULE, '--replication', '1'], this.env)
  }

  /** `weir reset`, done. The state on the disk stays. */
  reset(disk: string): Promise<ExitResult> {
    const { bootstrapServers, name } = this.#options
    return runWeir(['reset', MODULE, '--execute'], {
      ...this.env,
      WEIR_APPLICATION_ID: name,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_STATE_DIR: join(this.#stateDir, disk),
    })
  }

  /** @param disk one that no process has had is empty */
  start(disk: string, env: Readonly<Record<string, string>> = {}): Promise<WeirProcess> {
    const { bootstrapServers, name } = this.#options
    return WeirProcess.start({
      module: MODULE,
      applicationId: name,
      bootstrapServers,
      stateDir: join(this.#stateDir, disk),
      env: { ...this.env, ...env },
    })
  }

  /** Records of random keys. @param deletes that some of them delete */
  async give(random: Random, records: number, keys: number, deletes = true): Promise<void> {
    const { bootstrapServers, name } = this.#options
    await produceAll(
      bootstrapServers,
      Array.from({ length: records }, () => {
        const key = `k${random.below(keys)}`
        const record: NumberedRecord = {
          number: ++this.#number,
          ...(deletes && random.below(8) === 0 && { deletes: true }),
        }
        const { count } = this.#counts.get(key) ?? { count: 0 }
        if (record.deletes === true) this.#counts.delete(key)
        else this.#counts.set(key, { count: count + 1, last: record.number })
        return { topic: `${name}-numbers`, key, value: JSON.stringify(record), timestamp: Date.now() }
      }),
    )
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
      waitUntilConsumed(bootstrapServers, name, [`${name}-numbers`], { timeoutMs: 120_000 }),
    )
  }

  /** Records that are not committed. */
  async remaining(): Promise<number> {
    const { bootstrapServers, name } = this.#options
    return (await lagOf(bootstrapServers, name, [`${name}-numbers`])).remaining
  }

  /** Of the changelog, that are there. */
  async changelogRecords(): Promise<number> {
    const { bootstrapServers, name } = this.#options
    return (await readToEnd(bootstrapServers, `${name}-counts-changelog`)).length
  }

  async rows(): Promise<Map<string, Count>> {
    const { client, name } = this.#options
    const result = await client.execute(`SELECT key, value FROM ${KEYSPACE}."${table(name)}"`, [], {
      fetchSize: 5_000,
    })
    return new Map(
      result.rows.map(({ key, value }) => [
        (key as Buffer).toString(),
        JSON.parse((value as Buffer).toString()) as Count,
      ]),
    )
  }

  /** What was told last of each key, and what the table has, is what the records say. */
  async assertCounts(told: string): Promise<void> {
    const { bootstrapServers, name } = this.#options
    const last = new Map<string, Count>()
    const records = await readToEnd(bootstrapServers, `${name}-counted`)
    for (const { key, value } of records.toSorted(
      (a, b) => a.partition - b.partition || a.offset - b.offset,
    )) {
      if (value === null || value.toString() === 'null') last.delete(key!.toString())
      else last.set(key!.toString(), JSON.parse(value.toString()) as Count)
    }
    const should = sorted(this.#counts)
    assert.ok(should.length > 0, told)
    assert.deepEqual(sorted(last), should, `${told}: outputs`)
    assert.deepEqual(sorted(await this.rows()), should, `${told}: rows`)
  }
}

/** Names of tables have no dashes. */
function table(name: string): string {
  return name.replaceAll('-', '_')
}

function sorted(counts: ReadonlyMap<string, Count>): [string, Count][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
