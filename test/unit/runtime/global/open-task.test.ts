/** Where the global task begins, by what is stored and what the topics have. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'

import { commitAtLeastOnce } from '../../../../src/commit/commit.ts'
import { configFrom } from '../../../../src/config/load.ts'
import { BatchPool } from '../../../../src/consume/record-batch.ts'
import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import { LocalProducer, StateMemory } from '../../../../src/native.ts'
import { ThreadCounters } from '../../../../src/observe/thread-counters.ts'
import { OutputBatch } from '../../../../src/produce/output-batch.ts'
import { globalDefinition, OFFSETS } from '../../../../src/runtime/global/definition.ts'
import { offsetKey, openGlobalTask, type ReadOffset } from '../../../../src/runtime/global/open-task.ts'
import type { TopicInfo } from '../../../../src/runtime/protocol.ts'
import type { TaskFactoryOptions } from '../../../../src/runtime/task-factory.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { CacheBudget } from '../../../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../../../src/state/overlay-writer.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../../../src/state/store.ts'
import { LocalTopics } from '../../../../src/testing/local-topics.ts'
import { smallStateMemory } from '../../../support/state-memory.ts'

interface Situation {
  /** Changes of the topic, or of what it holds. */
  readonly topic?: Partial<TopicInfo>
  readonly watermarks?: [number, number]
  readonly value?: Serde<unknown>
  readonly store?: string
  readonly ageMs?: number
}

interface Found {
  readonly offsets: number[]
  readonly row: unknown
  readonly warnings: string[]
}

const hour = 3_600_000

/** Writes a row and offset 5 of partition 1, then opens the task again in another situation. */
async function reopened(situation: Situation): Promise<Found> {
  await using resources = new AsyncDisposableStack()
  const stateDir = await mkdtemp(path.join(tmpdir(), 'weir-global-'))
  resources.defer(() => rm(stateDir, { recursive: true }))
  const memory = StateMemory.acquire(smallStateMemory)
  resources.defer(async () => memory.close())
  const producer = new LocalProducer()
  resources.defer(() => producer.close())
  const output = new OutputBatch(producer, 1, 1)
  const warnings: string[] = []
  const open = async ({ topic, watermarks = [0, 9], value = serdes.string, store = 'rows' }: Situation) => {
    const topology = defineTopology((builder) => {
      builder.globalTable('rows', { key: serdes.string, value, store })
    }).build()
    const definition = globalDefinition(topology)
    const config = configFrom({ applicationId: 'app', bootstrapServers: 'none:1', stateDir })
    const factory: TaskFactoryOptions = {
      config,
      topology: { subtopologies: [definition], repartitionTopics: [] },
      topics: { rows: { partitions: 2, id: 'one', deleteRetentionMs: hour, ...topic } },
      consumer: new LocalTopics(['rows']),
      producer,
      output,
      pool: new BatchPool({ capacity: 1, arenaBytes: 4096, readAheadMax: 2 }),
      memory,
      restorer: { restore: () => assert.fail('restored'), close() {} },
      budget: new CacheBudget(1 << 20),
      overlayWriter: new OverlayWriter(),
      counters: new ThreadCounters(),
      onPrefetched: () => {},
      warn: (message, { code }) => void warnings.push(`${message}: ${code}`),
      restoreEvent: () => {},
      isGlobal: true,
    }
    const opened = await openGlobalTask({ definition, factory, watermarks: async () => watermarks })
    return { definition, ...opened }
  }
  const { definition, task, inputs } = await open({})
  assert.deepEqual(
    inputs.map(({ offset, end }) => [offset, end]),
    [
      [0, 9],
      [0, 9],
    ],
  )
  const stores = task.state!.stores
  const offsets = stores.get(OFFSETS.name) as unknown as KeyValueStore<string, ReadOffset>
  const writtenAtMs = Date.now() - (situation.ageMs ?? 0)
  const input = { topic: 'rows', partition: 1 }
  offsets.put(offsetKey(definition, input), { offset: 5, writtenAtMs, topicId: 'one' })
  const rows = stores.get('rows') as unknown as TimestampedKeyValueStore<string, string>
  rows.put('a', { value: 'b', timestamp: 1 })
  await commitAtLeastOnce([task], { producer, output, flushTimeoutMs: 0, commitOffsets: async () => {} })
  await task.close()

  const again = await open(situation)
  const store = again.task.state!.stores.get(situation.store ?? 'rows')
  const row = (store as unknown as typeof rows).get('a')?.value ?? null
  await again.task.close()
  return { offsets: again.inputs.map(({ offset }) => offset), row, warnings }
}

const reset = (code: string): Found => ({
  offsets: [0, 0],
  row: null,
  warnings: [`local state is not used: it is restored from the beginning: ${code}`],
})

const cases: Readonly<Record<string, readonly [Situation, Found]>> = {
  'reads on where it was': [{}, { offsets: [0, 5], row: 'b', warnings: [] }],
  'an unknown topic id says nothing': [{ topic: { id: '' } }, { offsets: [0, 5], row: 'b', warnings: [] }],
  'another topic': [{ topic: { id: 'two' } }, reset('changelog-recreated')],
  'the topic ends before': [{ watermarks: [0, 4] }, reset('offset-out-of-range')],
  'the topic begins behind': [{ watermarks: [6, 9] }, { ...reset('offset-out-of-range'), offsets: [6, 6] }],
  'deletions may be forgotten': [{ ageMs: hour / 2 + 60_000 }, reset('state-too-old')],
  'old, but nothing came since': [
    { ageMs: hour, watermarks: [0, 5] },
    { offsets: [0, 5], row: 'b', warnings: [] },
  ],
  'old, but nothing is forgotten': [
    { ageMs: hour, topic: { deleteRetentionMs: 3 * hour } },
    { offsets: [0, 5], row: 'b', warnings: [] },
  ],
  'another serde': [{ value: serdes.int64 as Serde<unknown> }, reset('store-changed')],
  'another store on the same topic': [{ store: 'other' }, { offsets: [0, 0], row: null, warnings: [] }],
}

for (const [name, [situation, expected]] of Object.entries(cases)) {
  test(name, async () => assert.deepEqual(await reopened(situation), expected))
}
