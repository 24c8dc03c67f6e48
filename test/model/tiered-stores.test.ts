/** A tiered store over a real database and a Cassandra that is late, fails and is away, against a Map. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import { RowReader } from '../../src/cassandra/row-reader.ts'
import { RowWriter } from '../../src/cassandra/row-writer.ts'
import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../src/native.ts'
import { CassandraCounters } from '../../src/observe/cassandra-counters.ts'
import { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { BacklogBudget } from '../../src/state/tier-backlog.ts'
import { TieredStore } from '../../src/state/tiered-store.ts'
import { stores } from '../../src/topology/stores.ts'
import { smallStateMemory } from '../support/state-memory.ts'
import { replay, TierLegacy } from '../support/tier-legacy.ts'
import { timedOut, UnsteadyCassandra } from '../support/unsteady-cassandra.ts'

const CHANGELOG = 'app-counts-changelog'
const cluster = new MockCluster({ brokers: 1 })
const memory = StateMemory.acquire(smallStateMemory)
let folder = ''
let databases = 0
let producer: Producer

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-tiered-'))
  cluster.createTopic(CHANGELOG, 1)
  producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
  producer.topic(CHANGELOG, 1)
})

after(async () => {
  await producer.close()
  memory.close()
  cluster.close()
  await rm(folder, { recursive: true })
})

/** One member's time with the task. */
class Life {
  readonly store: TieredStore<string, string>
  readonly #database: TaskDatabase
  readonly #tiers: LocalTiers
  readonly #budget: CacheBudget
  readonly #localBytesMax: number
  readonly #legacy: TierLegacy

  private constructor(
    database: TaskDatabase,
    tiers: LocalTiers,
    budget: CacheBudget,
    store: TieredStore<string, string>,
    localBytesMax: number,
    legacy: TierLegacy,
  ) {
    this.#database = database
    this.#tiers = tiers
    this.#budget = budget
    this.store = store
    this.#localBytesMax = localBytesMax
    this.#legacy = legacy
  }

  static async begin(
    disk: string,
    starts: number,
    { writer, reader, cacheBytes, localBytesMax, knowsEnd }: Surroundings,
    legacy: TierLegacy,
  ): Promise<Life> {
    const definition = stores.tieredKeyValue({ name: 'counts', key: serdes.string, value: serdes.string })
    const { watermark } = legacy
    const tiers = new LocalTiers(
      [definition],
      new Map(watermark === undefined ? [] : [['counts', watermark]]),
    )
    const database = await TaskDatabase.open(memory, {
      path: disk,
      partition: 0,
      stores: [
        { name: 'counts', timestamped: true, inMemory: false, changelogTopic: CHANGELOG },
        ...tiers.databaseStores,
      ],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
    const budget = new CacheBudget(cacheBytes)
    const store = new TieredStore<string, string>(definition, {
      database,
      index: 0,
      lowerIndex: tiers.lowerIndex(definition)!,
      budget,
      overlayWriter: new OverlayWriter(),
      recordTimestamp: () => 7,
      onOverlayBytes: () => {},
    })
    tiers.opened(definition, store as TieredStore<unknown, unknown>)
    tiers.connect({
      taskId: '0_0',
      rows: writer.open(),
      reads: reader,
      backlog: new BacklogBudget(1 << 20),
      starts,
      onWritten: () => {},
      onFailed: (error) => assert.fail(String(error)),
    })
    await replay(database, tiers, legacy, { topic: CHANGELOG, producer, knowsEnd, keyOf: Buffer.from })
    return new Life(database, tiers, budget, store, localBytesMax, legacy)
  }

  /** As a task's. @param changes since the last one */
  async commit(changes: ReadonlyMap<string, string | null>): Promise<void> {
    this.store.flush()
    const [[, watermark] = ['', 0]] = this.#tiers.watermarks()
    await this.#database.drain(producer)
    await producer.flush(30_000)
    await this.#database.commit()
    this.#legacy.watermark = watermark
    this.#legacy.commits.push({ end: this.#database.committedOffsets()[0]!, changes })
    await this.#tiers.committed(this.#database, this.#localBytesMax)
  }

  settled(): Promise<void> {
    return this.#tiers.settled()
  }

  trim(): void {
    this.#budget.trim(this.store.cache)
  }

  /** Without what was not committed. */
  async end(): Promise<void> {
    this.store.discard()
    this.#database.discard()
    this.store.close()
    await this.#database.close()
  }
}

interface Surroundings {
  readonly writer: RowWriter
  readonly reader: RowReader
  readonly cacheBytes: number
  readonly localBytesMax: number
  /** Whether a restore knows where the changelog ended at the last commit, as under at-least-once. */
  readonly knowsEnd: boolean
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const value = fc.option(fc.string({ maxLength: 20 }), { nil: null })
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('update' as const), key, value }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), key, value }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), key }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('goes' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('comes' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const), emptyDisk: fc.boolean() }) },
)

test('a tiered store says what a Map says, whatever is here, and whatever Cassandra does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.constantFrom(1, 400, 1 << 20),
      fc.constantFrom(0, 1 << 20),
      fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 50 }),
      fc.boolean(),
      async (steps, cacheBytes, localBytesMax, dice, knowsEnd) => {
        const session = new UnsteadyCassandra()
        let throws = 0
        const dieOf = (): number => dice[throws++ % dice.length]!
        let failures = 0
        /** Each is a pause: there are few. */
        const fails = (): boolean => failures < 4 && dieOf() < 2 && ++failures > 0
        session.fails = () => (fails() ? { error: timedOut(), done: dieOf() % 2 === 0 } : null)
        session.readFails = () => (fails() ? timedOut() : null)
        session.delayMs = () => dieOf() % 3
        const common = {
          requestsMax: 4,
          counters: new CassandraCounters(),
          onFailed: (error: Error) => assert.fail(error),
          onAway: () => {},
        }
        const writer = new RowWriter({
          ...common,
          session: async () => session,
          queueBytes: 1 << 20,
          rowTimeoutMs: 60_000,
          onChanged: () => {},
        })
        const reader = new RowReader({
          ...common,
          session: async () => ((await writer.connected()) ? session : null),
          onRead: () => {},
        })
        const surroundings = { writer, reader, cacheBytes, localBytesMax, knowsEnd }
        const legacy = new TierLegacy()
        const model = new Map<string, string>()
        let committed = new Map<string, string>()
        let changes = new Map<string, string | null>()
        const asked: Promise<unknown>[] = []
        let come = (): void => {}
        let starts = 1
        let disk = path.join(folder, String(databases++))
        let life = await Life.begin(disk, starts, surroundings, legacy)
        const set = (at: string, next: string | null): void => {
          life.store.put(at, next)
          changes.set(at, next)
          if (next === null) model.delete(at)
          else model.set(at, next)
        }
        const read = async (at: string): Promise<void> => {
          const loaded = await life.store.load(at)
          assert.equal(life.store.get(at), loaded)
          assert.equal(loaded, model.get(at) ?? null, at)
        }
        const commit = async (): Promise<void> => {
          await life.commit(changes)
          committed = new Map(model)
          changes = new Map()
        }
        const isHere = (at: string): boolean => {
          try {
            life.store.get(at)
            return true
          } catch {
            return false
          }
        }
        let isAway = false
        try {
          for (const command of steps) {
            switch (command.do) {
              case 'update':
                // While Cassandra is away its batch would wait.
                if (isAway && !isHere(command.key)) break
                await read(command.key)
                set(command.key, command.value)
                break
              case 'put':
                set(command.key, command.value)
                break
              case 'ask':
                asked.push(life.store.load(command.key).catch(() => {}))
                break
              case 'commit':
                await commit()
                break
              case 'trim':
                // Both generations.
                life.trim()
                life.trim()
                break
              case 'goes':
                if (isAway) break
                isAway = true
                session.gate = new Promise((resolve) => {
                  come = resolve
                })
                break
              case 'comes':
                isAway = false
                come()
                break
              case 'again': {
                await life.end()
                if (command.emptyDisk) disk = path.join(folder, String(databases++))
                life = await Life.begin(disk, ++starts, surroundings, legacy)
                model.clear()
                for (const [at, value] of committed) model.set(at, value)
                changes = new Map()
                break
              }
            }
          }
          come()
          await Promise.all(asked)
          // Nothing in the cache.
          await commit()
          life.trim()
          life.trim()
          for (const at of ['a', 'b', 'c', 'd', 'e', 'f']) await read(at)
          for (const at of ['a', 'b', 'c', 'd', 'e', 'f']) set(at, `${at}, last`)
          await commit()
          await life.settled()
          const rows = [...session.rows].map(([at, { values }]) => [at, String(values?.[0] ?? null)])
          assert.deepEqual(new Map(rows.sort() as [string, string][]), new Map([...model].sort()))
        } finally {
          come()
          await life.end()
          reader.close()
          await writer.close()
        }
      },
    ),
    { numRuns: 40 },
  )
})
