/** Restores from changelogs that transactions have written, on a real broker: in bulk, then the tail; with aborted and open transactions. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { type DatabaseOptions, Restorer, StateMemory, TaskDatabase } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { createTopic, endOffsets, type ProducedRecord, produceAll } from '../services/kafka-client.ts'
import { Random } from '../support/seed.ts'
import { scanRows } from '../unit/native/rows.ts'

const MiB = 2 ** 20
/** From so many offsets on a restore is done in bulk. */
const BULK_RECORDS_MIN = 50_000

let kafka: KafkaService
let folder: string

before(async () => {
  kafka = await startKafka()
  folder = await mkdtemp(join(tmpdir(), 'weir-restore-'))
})

after(async () => {
  await kafka[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** A changelog of a timestamped store, and what it says. */
class Changelog {
  readonly rows = new Map<string, string>()
  readonly #topic: string
  readonly #random: Random
  #transactions = 0
  #records = 0

  constructor(topic: string, random: Random) {
    this.#topic = topic
    this.#random = random
  }

  async transaction(records: number, end: 'commit' | 'abort' | 'none'): Promise<void> {
    const written: (ProducedRecord & { key: string; value: string | null; timestamp: number })[] = []
    for (let i = 0; i < records; i++) {
      const value = this.#random.below(5) === 0 ? null : `${end}-${this.#records++}`
      written.push({
        key: `user-${this.#random.below(30_000)}`,
        value,
        timestamp: 1 + this.#random.below(2 ** 31),
        partition: 0,
      })
    }
    await produceAll(kafka.bootstrapServers, this.#topic, written, {
      transaction: { id: `${this.#topic}-${this.#transactions++}`, end },
      settings: { 'transaction.timeout.ms': 3_000 },
    })
    if (end !== 'commit') return
    for (const { key, value, timestamp } of written) {
      if (value === null) this.rows.delete(key)
      else this.rows.set(key, timestampBytes(timestamp) + value)
    }
  }
}

function timestampBytes(timestamp: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(timestamp))
  return bytes.toString('latin1')
}

test('committed records are restored, in bulk and behind it; an open transaction is waited for', async () => {
  const random = new Random()
  console.log(`WEIR_TEST_SEED=${random.seed}`)
  const topic = 'timed-changelog'
  await createTopic(kafka.bootstrapServers, topic, 1, { 'cleanup.policy': 'compact' })
  const changelog = new Changelog(topic, random)
  let records = 0
  while (records < BULK_RECORDS_MIN) {
    const count = 1 + random.below(30_000)
    records += count
    await changelog.transaction(count, random.below(3) === 0 ? 'abort' : 'commit')
  }
  await changelog.transaction(100, 'none')

  const memory = StateMemory.acquire({
    blockCacheBytes: 32 * MiB,
    writeBufferBytes: 16 * MiB,
    backgroundThreads: 2,
    readThreads: 2,
    maxOpenFiles: 64,
  })
  // Little, so that there are many sorted runs.
  const restorer = Restorer.acquire({ 'bootstrap.servers': kafka.bootstrapServers }, 1, MiB)
  const options: DatabaseOptions = {
    path: join(folder, 'db'),
    partition: 0,
    stores: [{ name: 'timed', timestamped: true, changelogTopic: topic }],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
    rocksdb: {},
  }
  const database = await TaskDatabase.open(memory, options)
  const restore = async (from: number): Promise<number> => {
    const job = restorer.restore(database, [{ store: 0, topic, partition: 0, topicId: 'id', from }])
    await job.done
    const [end] = await endOffsets(kafka.bootstrapServers, topic)
    assert.equal(database.offsets()[0]?.offset, end)
    assert.equal(job.progress()[0]?.position, end)
    assert.deepEqual(
      scanRows(database, 0, null, null, false, 1_000, 2 ** 16),
      [...changelog.rows].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    return end as number
  }
  const bulkEnd = await restore(-1)

  await changelog.transaction(1_000, 'abort')
  await changelog.transaction(2_000, 'commit')
  // The last thing in the partition is what nobody reads.
  await changelog.transaction(500, 'abort')
  const tailEnd = await restore(bulkEnd)
  assert.ok(tailEnd > bulkEnd)

  await database.close()
  const reopened = await TaskDatabase.open(memory, options)
  assert.equal(reopened.offsets()[0]?.offset, tailEnd)
  assert.equal(scanRows(reopened, 0, null, null, false, 1_000, 2 ** 16).length, changelog.rows.size)
  await reopened.close()
  restorer.close()
  memory.close()
})
