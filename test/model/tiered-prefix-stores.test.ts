/** A tiered store by prefix over a real database and a Cassandra that is late, fails and is away, against a Map. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import { RowReader } from '../../src/cassandra/row-reader.ts'
import { RowWriter } from '../../src/cassandra/row-writer.ts'
import { RecordBatch } from '../../src/consume/record-batch.ts'
import { MockCluster, Producer, StateMemory } from '../../src/native.ts'
import { CassandraCounters } from '../../src/observe/cassandra-counters.ts'
import { PrefixStoreLife } from '../support/prefix-store-life.ts'
import { smallStateMemory } from '../support/state-memory.ts'
import { TierLegacy } from '../support/tier-legacy.ts'
import { timedOut, UnsteadyCassandra } from '../support/unsteady-cassandra.ts'

const CHANGELOG = 'app-orders-changelog'
const cluster = new MockCluster({ brokers: 1 })
const memory = StateMemory.acquire(smallStateMemory)
let folder = ''
let databases = 0
let producer: Producer

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-prefixes-'))
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

// One is the beginning of another, and of another with its rest.
const PREFIXES = ['a', 'ab', 'abc']
const RESTS = ['b', 'bc', 'c', '\u0000']
const KEYS = PREFIXES.flatMap((prefix) => RESTS.map((rest) => [prefix, rest] as const))

const prefix = fc.constantFrom(...PREFIXES)
const rest = fc.constantFrom(...RESTS)
const value = fc.option(fc.string({ maxLength: 20 }), { nil: null })
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), prefix, rest, value }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('load' as const), prefix }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), prefix }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), prefix, rest }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ahead' as const), prefixes: fc.subarray(PREFIXES) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('process' as const) }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('goes' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('comes' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const), emptyDisk: fc.boolean() }) },
)

/** What a batch that was read ahead reads. */
interface Ahead {
  readonly batch: RecordBatch
  readonly prefixes: readonly string[]
  readonly pin: number
  readonly prepared: Promise<{ readonly loads: Promise<unknown> | null }>
}

test('a tiered store by prefix says what a Map says, whatever is here, and whatever Cassandra does', async () => {
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
        const surroundings = {
          memory,
          changelog: CHANGELOG,
          producer,
          writer,
          reader,
          cacheBytes,
          localBytesMax,
          knowsEnd,
        }
        const legacy = new TierLegacy()
        /** By prefix and rest, with a slash between. */
        const model = new Map<string, string>()
        let committed = new Map<string, string>()
        let changes = new Map<string, string | null>()
        const asked: Promise<unknown>[] = []
        const batches: RecordBatch[] = [new RecordBatch(8, 1024), new RecordBatch(8, 1024)]
        let ahead: Ahead[] = []
        let come = (): void => {}
        let starts = 1
        let disk = path.join(folder, String(databases++))
        let life = await PrefixStoreLife.begin(disk, starts, surroundings, legacy)
        const set = (at: string, next: string | null): void => {
          const [in_, what] = at.split('/') as [string, string]
          life.store.put(in_, what, next)
          changes.set(at, next)
          if (next === null) model.delete(at)
          else model.set(at, next)
        }
        const check = (at: string, is: string | null): void => assert.equal(is, model.get(at) ?? null, at)
        const commit = async (): Promise<void> => {
          await life.commit(changes)
          committed = new Map(model)
          changes = new Map()
        }
        /** Of a prefix that is here. */
        const scan = (in_: string): void => {
          const rows = [...life.store.scan(in_)]
          const found = new Map(rows.map((row) => [row.key, row.value]))
          for (const what of RESTS) check(`${in_}/${what}`, found.get(what) ?? null)
          const order = [...RESTS].filter((what) => model.has(`${in_}/${what}`)).sort()
          assert.deepEqual(
            rows.map((row) => row.key),
            order,
          )
          assert.deepEqual([...life.store.reverseScan(in_)], rows.toReversed())
        }
        const isHere = (in_: string): boolean => {
          try {
            life.store.scan(in_).close()
            return true
          } catch {
            return false
          }
        }
        let isAway = false
        const processed = async (): Promise<void> => {
          const next = ahead.shift()
          if (next === undefined) return
          await (await next.prepared).loads
          for (const in_ of next.prefixes) scan(in_)
          life.store.cache.unpin(next.pin)
          next.batch.clear()
          batches.push(next.batch)
        }
        /** As a task waits before a commit and before its end. */
        const fetched = (): Promise<unknown> => Promise.all(ahead.map(({ prepared }) => prepared))
        try {
          for (const command of steps) {
            switch (command.do) {
              case 'put':
                set(`${command.prefix}/${command.rest}`, command.value)
                break
              case 'load': {
                if (isAway && !isHere(command.prefix)) break
                const rows = await life.store.load(command.prefix)
                assert.deepEqual([...life.store.scan(command.prefix)], rows)
                scan(command.prefix)
                break
              }
              case 'ask':
                asked.push(life.store.load(command.prefix).catch(() => {}))
                break
              case 'get':
                if (isHere(command.prefix))
                  check(`${command.prefix}/${command.rest}`, life.store.get(command.prefix, command.rest))
                break
              case 'ahead': {
                const batch = batches.shift()
                if (batch === undefined) break
                fill(batch, command.prefixes)
                const pin = life.store.pin()
                ahead.push({
                  batch,
                  pin,
                  prefixes: command.prefixes,
                  prepared: life.store.prepare(batch),
                })
                break
              }
              case 'process':
                // While Cassandra is away it would wait.
                if (!isAway) await processed()
                break
              case 'commit':
                await fetched()
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
                await fetched()
                for (const { batch } of ahead) {
                  batch.clear()
                  batches.push(batch)
                }
                ahead = []
                await life.end()
                if (command.emptyDisk) disk = path.join(folder, String(databases++))
                life = await PrefixStoreLife.begin(disk, ++starts, surroundings, legacy)
                model.clear()
                for (const [at, value] of committed) model.set(at, value)
                changes = new Map()
                break
              }
            }
          }
          come()
          await Promise.all(asked)
          while (ahead.length > 0) await processed()
          await commit()
          life.trim()
          life.trim()
          for (const in_ of PREFIXES) {
            await life.store.load(in_)
            scan(in_)
          }
          for (const [in_, what] of KEYS) set(`${in_}/${what}`, `${in_}/${what}, last`)
          await commit()
          await life.settled()
          const rows = [...session.rows].map(([at, { values }]) => [
            at.replace(',', '/'),
            String(values?.[0] ?? null),
          ])
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

/** Two records of each key. */
function fill(batch: RecordBatch, keys: readonly string[]): void {
  let end = 0
  batch.count = 2 * keys.length
  for (const [index, key] of [...keys, ...keys].entries()) {
    batch.keyStart[index] = end
    batch.keyLength[index] = batch.arena.write(key, end)
    end += key.length
  }
}
