import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createSegmentationTopics,
  partitions,
  SegmentationRecords,
} from '../../examples/segmentation/load.ts'
import type { Rule, SegmentChange, UserEvent } from '../../examples/segmentation/records.ts'
import { defaultRules } from '../../examples/segmentation/rules.ts'
import { produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { segmentationEvents } from '../support/segmentation-load.ts'
import { SegmentationModel } from '../support/segmentation-model.ts'
import { WeirProcess } from '../support/weir-process.ts'

const weekMs = 7 * 86_400_000

test('examples/segmentation says who enters and leaves as a plain computation does', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  await using registry = await startRegistry()
  const written = await SegmentationRecords.register(registry.url)
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createSegmentationTopics(bootstrapServers)

  // A rule besides the default ones, one changed and one removed: written to every partition, before any
  // event.
  const changes: [string, Rule | null][] = [
    ['watching', { id: 'watching', segment: 'watchers', type: 'page-view', minCount: 10, windowMs: 600_000 }],
    ['browsing', { ...defaultRules.find(({ id }) => id === 'browsing')!, minCount: 3 }],
    ['loyal', null],
  ]
  await produceAll(
    bootstrapServers,
    changes.flatMap(([id, rule]) => written.rule(id, rule, 1)),
  )
  const rules = new Map(defaultRules.map((rule) => [rule.id, rule]))
  for (const [id, rule] of changes) {
    if (rule === null) rules.delete(id)
    else rules.set(id, rule)
  }

  const events = segmentationEvents(20_000, 40, random)
  // One more in each partition, long after all others: everything that can expire has expired.
  const endMs = Math.max(...events.map(({ timestamp }) => timestamp)) + 2 * weekMs
  // Some apps know the first schema only.
  await produceAll(
    bootstrapServers,
    events.map((event) => (random.below(3) === 0 ? written.firstEvent(event) : written.event(event))),
  )
  await produceAll(
    bootstrapServers,
    Array.from({ length: partitions }, (_, partition) => ({
      ...written.firstEvent({ user: `last-${partition}`, type: 'none', timestamp: endMs }),
      partition,
    })),
  )

  const options = {
    module: 'examples/segmentation/topology.ts',
    applicationId: 'segmentation',
    bootstrapServers,
    stateDir: makeScratchDir('segmentation'),
    env: {
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_COMMIT_INTERVAL_MS: '200',
      WEIR_SCHEMA_REGISTRY_URL: registry.url,
      WEIR_SCHEMA_AUTO_REGISTER: 'internal',
    },
  }
  {
    // Stopped on the way and started again: nothing is forgotten over a restart.
    await using first = await WeirProcess.start(options)
    await first.until(async () => (await first.recordsProcessed()) > 3_000, 'has not processed 3,000 records')
    await first.stop()
  }
  await using second = await WeirProcess.start(options)
  await second.whileRunning(
    waitUntilConsumed(bootstrapServers, 'segmentation', ['events', 'rules'], { timeoutMs: 120_000 }),
  )
  await second.stop()

  const actual = new Map<string, SegmentChange[]>()
  for (const { key, value } of await readToEnd(bootstrapServers, 'segment-changes')) {
    // As plain objects, for the comparison.
    const change = { ...(written.changes.read(value!) as SegmentChange) }
    assert.equal(key!.toString(), change.user)
    const name = `${change.user} ${change.rule}`
    actual.set(name, [...(actual.get(name) ?? []), change])
  }
  // Each partition has a time of its own, so each has a model of its own, fed in the partition's order.
  const expected = new Map<string, SegmentChange[]>()
  for (const [, records] of Map.groupBy(
    await readToEnd(bootstrapServers, 'events'),
    ({ partition }) => partition,
  )) {
    const model = new SegmentationModel([...rules.values()])
    for (const { value } of records) {
      const schema = written.events.wrote(value!) ? written.events : written.firstEvents
      model.add(schema.read(value!) as UserEvent)
    }
    for (const [name, list] of model.changes) expected.set(name, list)
  }
  const all = [...expected.values()].flat()
  for (const { id } of rules.values()) {
    for (const kind of ['entered', 'left']) {
      assert.ok(
        all.some(({ rule, change }) => rule === id && change === kind),
        `the events never make anyone have ${kind} ${id}`,
      )
    }
  }
  t.diagnostic(`${all.length} changes of ${expected.size} memberships`)
  const byName = (map: Map<string, SegmentChange[]>): [string, SegmentChange[]][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  assert.deepEqual(byName(actual), byName(expected), `seed ${random.seed}`)
})
