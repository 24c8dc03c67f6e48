import assert from 'node:assert/strict'

import { runWeir } from '../support/weir-process.ts'
import type { FaultyCassandra } from './faulty-cassandra.ts'
import type { SchedulePlan } from './plan.ts'
import { readTables, type Tables } from './tables.ts'
import { TRACKED_MODULE } from './workers.ts'

const KEYSPACE = 'faults'
const STORES = ['tracks', 'marks'] as const

/** The tables of one schedule's tiered stores. */
export class Tier {
  readonly #cassandra: FaultyCassandra
  readonly #plan: SchedulePlan
  readonly #tables: Readonly<Record<(typeof STORES)[number], string>>

  /** @param name of the schedule: letters, digits and underscores */
  constructor(cassandra: FaultyCassandra, plan: SchedulePlan, name: string) {
    this.#cassandra = cassandra
    this.#plan = plan
    this.#tables = { tracks: `tracks_${name}`, marks: `marks_${name}` }
  }

  /** `weir cassandra init`. */
  async make(): Promise<void> {
    const args = ['cassandra', 'init', TRACKED_MODULE, '--replication', '1']
    const { code, stderr } = await runWeir(args, this.environment(), 120_000)
    assert.equal(code, 0, stderr)
  }

  /** What a worker is given. @param door that it has to itself. Default: it is not under test */
  environment(door?: number): Record<string, string> {
    const { local, cache } = this.#plan.tierBytes!
    return {
      ...this.#cassandra.environment(door),
      FAULTS_STORES: 'tiered',
      FAULTS_TABLE_tracks: this.#tables.tracks,
      FAULTS_TABLE_marks: this.#tables.marks,
      FAULTS_LOCAL_BYTES: String(local),
      WEIR_STATESTORE_CACHE_MAX_BYTES: String(cache),
      WEIR_CASSANDRA_KEYSPACE: KEYSPACE,
      // Connections that nothing passes are given up within a schedule. Tables take longer to be made.
      ...(door !== undefined && { WEIR_CASSANDRA_REQUEST_TIMEOUT_MS: '2000' }),
    }
  }

  async read(): Promise<Tables> {
    const client = await this.#cassandra.connect()
    try {
      return await readTables(client, {
        tracks: this.#quoted('tracks'),
        marks: this.#quoted('marks'),
      })
    } finally {
      await client.shutdown()
    }
  }

  async drop(): Promise<void> {
    const client = await this.#cassandra.connect()
    try {
      for (const store of STORES) await client.execute(`DROP TABLE ${this.#quoted(store)}`)
    } finally {
      await client.shutdown()
    }
  }

  #quoted(store: (typeof STORES)[number]): string {
    return `${KEYSPACE}."${this.#tables[store]}"`
  }
}
