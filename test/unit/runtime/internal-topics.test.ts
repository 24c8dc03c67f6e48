import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { TopicDescription } from '../../../src/native.ts'
import {
  checkInternalTopics,
  type PreparedTopics,
  prepareTopics,
} from '../../../src/runtime/internal-topics.ts'
import type { TopicInfo } from '../../../src/runtime/protocol.ts'
import type { TopicAdmin } from '../../../src/runtime/topic-admin.ts'
import type { InternalTopic } from '../../../src/runtime/topic-plan.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { TopologyDefinition } from '../../../src/topology/definition.ts'
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
  const { topics } = await prepared(topology, topicConfigs, warnings)
  assert.deepEqual(topics.input, { partitions: 2, id: 'id of input' })
  return topics['app-store-changelog']!
}

function prepared(
  definition: TopologyDefinition,
  topicConfigs: () => Promise<Record<string, string>>,
  warnings: string[] = [],
): Promise<PreparedTopics> {
  const nothing = (): void => {}
  const admin: TopicAdmin = {
    listTopics: async () => [],
    describeTopics: async (names) =>
      names.map((name) => ({ name, id: `id of ${name}`, partitions: 2, replicationFactor: 1 })),
    createTopics: async () => [],
    topicConfigs,
    deleteRecords: async () => {},
    groupOffsets: async () => [],
    close: async () => {},
  }
  return prepareTopics(definition, {
    config: {
      applicationId: 'app',
      bootstrapServers: 'nowhere',
      replicationFactor: -1,
      errorsDeadLetterQueueTopicName: null,
    },
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
}

test('a changelog is known by its id and by how long it remembers deletions', async () => {
  const info = await changelogInfo(async () => ({ 'delete.retention.ms': '5000', 'segment.ms': '1' }))
  assert.deepEqual(info, { partitions: 2, id: 'id of app-store-changelog', deleteRetentionMs: 5_000 })
})

test('a cluster without settings tells nothing', async () => {
  assert.equal((await changelogInfo(async () => ({}))).deleteRetentionMs, undefined)
})

test('a broker that does not know a new topic yet is asked for its settings again', async () => {
  const unknown = Object.assign(new Error('unknown'), { code: 'kafka:UNKNOWN_TOPIC_OR_PART' })
  let asked = 0
  const info = await changelogInfo(async () => {
    if (asked++ === 0) throw unknown
    return { 'delete.retention.ms': '5000' }
  })
  assert.equal(info.deleteRetentionMs, 5_000)
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

test('internal topics of another topology are refused, each with its name and what it needs', () => {
  const planned = (kind: InternalTopic['kind'], name: string): InternalTopic => ({
    kind,
    name,
    partitions: 2,
    replicationFactor: 1,
    config: {},
  })
  const existing = (name: string, partitions: number): TopicDescription => ({
    name,
    id: '',
    partitions,
    replicationFactor: 1,
  })
  const refused: readonly (readonly [InternalTopic, number, string, string])[] = [
    [
      planned('changelog', 'app-counts-changelog'),
      5,
      'changelog-partitions-wrong',
      'internal topic app-counts-changelog has 5 partitions, but needs 2, its store has as many tasks: source topics have more or fewer partitions than when it was created; reset the application, or give it another WEIR_APPLICATION_ID',
    ],
    [
      planned('repartition', 'app-by-value-repartition'),
      1,
      'repartition-partitions-wrong',
      'internal topic app-by-value-repartition has 1 partition, but needs 2, as the topology has it; reset the application, or give it another WEIR_APPLICATION_ID',
    ],
  ]
  for (const [topic, partitions, code, message] of refused) {
    assert.throws(() => checkInternalTopics([topic], [existing(topic.name, partitions)]), { code, message })
    checkInternalTopics([topic], [existing(topic.name, 2), existing('other', 9)])
    checkInternalTopics([topic], [])
  }
})

test('of a table that is restored from its own topic, deletions are forgotten only when the topic is compacted', async () => {
  const table = defineTopology(
    (builder) =>
      builder.table('rows', { key: serdes.string, value: serdes.string, store: 'kept' }).toStream().to('out'),
    { optimization: 'reuse.ktable.source.topics' },
  ).build()
  const rowsInfo = async (policy: string): Promise<TopicInfo> => {
    const settings = { 'delete.retention.ms': '777', 'cleanup.policy': policy }
    const { plan, topics } = await prepared(table, async () => settings)
    assert.deepEqual(plan.internalTopics, [])
    return topics.rows!
  }
  assert.equal((await rowsInfo('compact,delete')).deleteRetentionMs, 777)
  assert.equal((await rowsInfo('delete')).deleteRetentionMs, undefined)
})
