import assert from 'node:assert/strict'
import { test } from 'node:test'

import { prepareTopics } from '../../../src/runtime/internal-topics.ts'
import type { TopicInfo } from '../../../src/runtime/protocol.ts'
import type { TopicAdmin } from '../../../src/runtime/topic-admin.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'

const topology = new Topology()
  .addSource('source', { topics: 'input', key: serdes.string, value: serdes.string })
  .addProcessor('processor', () => ({ process: () => {} }), { parents: 'source' })
  .addStateStore(stores.keyValue({ name: 'store', key: serdes.string, value: serdes.string }), 'processor')
  .build()

/** What is known of the changelog in a cluster that answers this when it is asked for its settings. */
async function changelogInfo(
  topicConfigs: () => Promise<Record<string, string>>,
  warnings: string[] = [],
): Promise<TopicInfo> {
  const nothing = (): void => {}
  const admin: TopicAdmin = {
    describeTopics: async (names) =>
      names.map((name) => ({ name, id: `id of ${name}`, partitions: 2, replicationFactor: 1 })),
    createTopics: async () => [],
    topicConfigs,
    deleteRecords: async () => {},
    close: async () => {},
  }
  const { topics } = await prepareTopics(topology, {
    config: { applicationId: 'app', bootstrapServers: 'nowhere', replicationFactor: -1 },
    admin,
    logger: {
      debug: nothing,
      info: nothing,
      warn: (_, message) => void warnings.push(message),
      error: nothing,
    },
    signal: new AbortController().signal,
    timeoutMs: 1,
  })
  assert.deepEqual(topics.input, { partitions: 2, id: 'id of input' })
  return topics['app-store-changelog']!
}

test('a changelog is known by its id and by how long it remembers deletions', async () => {
  const info = await changelogInfo(async () => ({ 'delete.retention.ms': '5000', 'segment.ms': '1' }))
  assert.deepEqual(info, { partitions: 2, id: 'id of app-store-changelog', deleteRetentionMs: 5_000 })
})

test('a cluster without settings tells nothing', async () => {
  assert.equal((await changelogInfo(async () => ({}))).deleteRetentionMs, undefined)
})

test('settings that may not be read are taken for the defaults, with a warning', async () => {
  const denied = Object.assign(new Error('denied'), { code: 'kafka:TOPIC_AUTHORIZATION_FAILED' })
  const warnings: string[] = []
  const info = await changelogInfo(() => Promise.reject(denied), warnings)
  assert.equal(info.deleteRetentionMs, 86_400_000)
  assert.deepEqual(warnings, ['an ACL hides delete.retention.ms of a changelog: the default is assumed'])
})

test('any other refusal ends the start', async () => {
  const failed = Object.assign(new Error('no'), { code: 'kafka:INVALID_REQUEST' })
  await assert.rejects(
    changelogInfo(() => Promise.reject(failed)),
    { code: 'kafka-failed' },
  )
})
