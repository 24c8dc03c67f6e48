/** A task whose uncommitted changes reach their limit commits, however far away the interval's end is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createTopics,
  forEachRecord,
  lagOf,
  type OutgoingRecord,
  produceAll,
} from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

const applicationId = 'early'
const limitBytes = 2 ** 20
/** What a count's change takes at the least and at the most until it is committed: an 8-byte key, a 16-byte row, and what keeps them. */
const changeBytesMin = 24
const changeBytesMax = 400
const few = 500
const many = 60_000

/** Each key once: as many changes as records. */
function* records(from: number, to: number): Iterable<OutgoingRecord> {
  for (let index = from; index < to; index++) {
    const key = String(10_000_000 + index)
    yield { topic: 'input', partition: 0, key, value: Buffer.from('x'), timestamp: 1_000 + index }
  }
}

test('a task commits when its changes reach their limit, and not before', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, { input: 1, counts: 1 })
  await using worker = await WeirProcess.start({
    module: 'test/support/topologies/count.ts',
    applicationId,
    bootstrapServers,
    stateDir: makeScratchDir('early-commit'),
    env: {
      WEIR_NUM_STREAM_THREADS: '1',
      // An hour: no commit of this test is due.
      WEIR_COMMIT_INTERVAL_MS: '3600000',
      WEIR_TASK_UNCOMMITTED_BYTES_MAX: String(limitBytes),
    },
  })
  await worker.ready(120_000)
  const commits = async (): Promise<number> =>
    (await worker.metrics()).get('weir_commit_seconds_count{thread="0"}') ?? Number.NaN
  const processed = (count: number): Promise<void> =>
    worker.until(
      async () => (await worker.recordsProcessed()) >= count,
      `has not processed ${count} records`,
      120_000,
    )

  assert.ok(few * changeBytesMax < limitBytes)
  await produceAll(bootstrapServers, records(0, few))
  await processed(few)
  assert.equal(await commits(), 0)
  assert.equal((await lagOf(bootstrapServers, applicationId, ['input'])).committed, 0)

  assert.ok(many * changeBytesMin > limitBytes)
  await produceAll(bootstrapServers, records(few, few + many))
  await processed(few + many)
  await worker.until(async () => (await commits()) >= 1, 'has not committed', 60_000)
  const count = await commits()
  t.diagnostic(`${count} commits for ${few + many} changes`)
  // At the limit, not at every turn.
  assert.ok(count <= Math.ceil(((few + many) * changeBytesMax) / limitBytes), `${count} commits`)
  const { committed } = await lagOf(bootstrapServers, applicationId, ['input'])
  assert.ok(committed > 0 && committed <= few + many)
  const changelog = new Set<string>()
  await forEachRecord(bootstrapServers, `${applicationId}-counts-changelog`, ({ key }) =>
    changelog.add(String(key)),
  )
  assert.ok(
    changelog.size >= committed,
    `${changelog.size} of ${committed} committed records are in the changelog`,
  )
  await worker.stop()
})
