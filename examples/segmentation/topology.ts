import { serdes, stores, Topology } from '../../src/index.ts'
import { deadlineKey, eventKey, membershipKey } from './keys.ts'
import type { Rule, SegmentChange, UserEvent } from './records.ts'
import { membershipSchema, ruleSchema, segmentChangeSchema, userEventSchema } from './schemas.ts'
import { type Membership, type RuleEntry, Segmentation } from './segmentation.ts'

/**
 * One processor reads events and rules, so that a rule is in force for all users of a task at the same
 * moment.
 */
export default new Topology()
  .addSource('events', {
    topics: 'events',
    key: serdes.string,
    value: serdes.avro<UserEvent>(userEventSchema),
  })
  .addSource('rules', { topics: 'rules', key: serdes.string, value: serdes.avro<Rule>(ruleSchema) })
  .addProcessor('segmentation', () => new Segmentation(), { parents: ['events', 'rules'] })
  .addStateStore(stores.keyValue({ name: 'events', key: eventKey, value: serdes.float64 }), 'segmentation')
  .addStateStore(
    stores.keyValue({
      name: 'memberships',
      key: membershipKey,
      value: serdes.avro<Membership>(membershipSchema),
    }),
    'segmentation',
  )
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
    value: serdes.avro<SegmentChange>(segmentChangeSchema),
  })
