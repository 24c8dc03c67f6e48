import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bucketOf, members } from '../../../examples/segmentation/members.ts'
import type { SegmentChange, UserEvent } from '../../../examples/segmentation/records.ts'
import { defaultRules } from '../../../examples/segmentation/rules.ts'
import { segmentChangeSchema, userEventSchema } from '../../../examples/segmentation/schemas.ts'
import tieredTopology from '../../../examples/segmentation/tiered-topology.ts'
import plainTopology from '../../../examples/segmentation/topology.ts'
import { serdes } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { Random } from '../../support/seed.ts'
import { segmentationEvents } from '../../support/segmentation-load.ts'
import { SegmentationModel } from '../../support/segmentation-model.ts'

for (const [variant, topology] of [
  ['plain', plainTopology],
  ['tiered', tieredTopology],
] as const)
  test(`examples/segmentation, ${variant}: who enters and leaves, event by event`, async () => {
    const random = new Random()
    const model = new SegmentationModel(defaultRules)
    await using driver = await TopologyTestDriver.open(topology)
    const input = driver.createInputTopic('events', {
      key: serdes.string,
      value: serdes.avro<UserEvent>(userEventSchema),
    })
    const output = driver.createOutputTopic('segment-changes', {
      key: serdes.string,
      value: serdes.avro<SegmentChange>(segmentChangeSchema),
    })
    const changes = new Map<string, SegmentChange[]>()
    for (const event of segmentationEvents(1_000, 10, random)) {
      model.add(event)
      await input.pipeInput(event.user, event, event.timestamp)
      for (const change of output.readValuesToList()) {
        const name = `${change!.user} ${change!.rule}`
        changes.set(name, [...(changes.get(name) ?? []), { ...change! }])
      }
    }
    assert.ok(changes.size > 10)
    assert.deepEqual(
      [...changes].sort(([a], [b]) => (a < b ? -1 : 1)),
      [...model.changes].sort(([a], [b]) => (a < b ? -1 : 1)),
      `seed ${random.seed}`,
    )
    if (variant === 'plain') return
    assert.deepEqual(
      new Set(driver.cassandraRows(members).map((row) => JSON.stringify(row))),
      new Set(
        model.members().map(({ segment, user, rule, at }) => {
          return JSON.stringify({ segment, bucket: bucketOf(user), user, rule, since: new Date(at) })
        }),
      ),
      `seed ${random.seed}`,
    )
  })
