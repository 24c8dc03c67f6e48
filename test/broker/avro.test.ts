import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { pageViewSchemas, totalSchema } from '../support/avro-schemas.ts'
import { decode, encode, register } from '../support/registry-client.ts'
import { WeirProcess } from '../support/weir-process.ts'

const module = 'test/support/topologies/avro.ts'
const topics = { views: 2, 'views-out': 1, 'totals-out': 1 }

test('Avro is read, kept and written through a real registry', async () => {
  await using kafka = await startKafka()
  await using registry = await startRegistry()
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, topics)
  const id = await register(registry.url, 'views-value', pageViewSchemas.v1)
  const views = Array.from({ length: 200 }, (_, index) => ({
    userId: `user-${index % 7}`,
    durationMs: index * 2 ** 30,
  }))
  await produceAll(
    bootstrapServers,
    views.map((view) => ({
      topic: 'views',
      key: view.userId,
      value: encode(id, pageViewSchemas.v1, view),
      timestamp: 1,
    })),
  )
  await using worker = await WeirProcess.start({
    module,
    applicationId: 'avro',
    bootstrapServers,
    stateDir: makeScratchDir('avro'),
    env: {
      WEIR_NUM_STREAM_THREADS: '1',
      WEIR_COMMIT_INTERVAL_MS: '200',
      WEIR_SCHEMA_REGISTRY_URL: registry.url,
      WEIR_SCHEMA_AUTO_REGISTER: 'true',
    },
  })
  await worker.ready()
  await worker.whileRunning(waitUntilConsumed(bootstrapServers, 'avro', ['views'], { timeoutMs: 60_000 }))
  await worker.stop()
  const copies = await readToEnd(bootstrapServers, 'views-out')
  const decoded = await Promise.all(
    copies.map(async ({ value }) => (await decode(registry.url, value!)).value),
  )
  assert.deepEqual(
    decoded.map((view) => JSON.stringify(view)).sort(),
    views.map((view) => JSON.stringify(view)).sort(),
  )
  const totals = new Map<string, unknown>()
  for (const { value } of await readToEnd(bootstrapServers, 'totals-out')) {
    const { value: total } = await decode(registry.url, value!)
    totals.set((total as { userId: string }).userId, total)
  }
  const expected = new Map<string, { userId: string; views: number; durationMs: number }>()
  for (const { userId, durationMs } of views) {
    const total = expected.get(userId) ?? { userId, views: 0, durationMs: 0 }
    expected.set(userId, { userId, views: total.views + 1, durationMs: total.durationMs + durationMs })
  }
  assert.deepEqual(Object.fromEntries(totals), Object.fromEntries(expected))
  const changelog = await readToEnd(bootstrapServers, 'avro-totals-changelog')
  const ids = new Set(changelog.map(({ value }) => value!.readInt32BE(1)))
  assert.deepEqual([...ids], [await register(registry.url, 'avro-totals-changelog-value', totalSchema)])
})
