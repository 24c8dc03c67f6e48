import { serdes, stores, Topology } from '../../src/index.ts'
import { deadlineKey } from './keys.ts'
import type { Rule, SegmentChange, UserEvent } from './records.ts'
import { ruleSchema, segmentChangeSchema, userEventSchema } from './schemas.ts'
import { type RuleEntry, Segmentation } from './segmentation.ts'
import type { UserStores } from './users.ts'

export const segmentChange = serdes.avro<SegmentChange>(segmentChangeSchema)

/**
 * One processor reads events and rules, so that a rule is in force for all users of a task at the same
 * moment. Rules and deadlines are read as a whole, by no record's key: whatever the variant, each task has
 * all of its own.
 */
export function segmentationTopology(users: UserStores): Topology {
  const topology = new Topology()
    .addSource('events', {
      topics: 'events',
      key: serdes.string,
      value: serdes.avro<UserEvent>(userEventSchema),
    })
    .addSource('rules', { topics: 'rules', key: serdes.string, value: serdes.avro<Rule>(ruleSchema) })
    .addProcessor('segmentation', () => new Segmentation(users), {
      parents: ['events', 'rules'],
      readsByKey: users.readsByKey,
    })
    .addStateStore(
      stores.keyValue({ name: 'deadlines', key: deadlineKey, value: serdes.string }),
      'segmentation',
    )
    .addStateStore(
      stores.keyValue({ name: 'rules', key: serdes.string, value: serdes.json<RuleEntry>() }),
      'segmentation',
    )
    .addSink('segment-changes', {
      parents: 'segmentation',
      topic: 'segment-changes',
      key: serdes.string,
      value: segmentChange,
    })
  for (const definition of users.definitions) topology.addStateStore(definition, 'segmentation')
  return topology
}
