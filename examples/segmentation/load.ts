/** scripts/node examples/segmentation/load.ts <bootstrap servers> <schema registry> */
import { AvroValues } from '../support/avro.ts'
import { createTopics, type OutgoingRecord, produceAll } from '../support/kafka.ts'
import type { Rule, UserEvent } from './records.ts'
import { firstUserEventSchema, ruleSchema, segmentChangeSchema, userEventSchema } from './schemas.ts'

/** `rules` needs as many as `events`. */
export const partitions = 4

export async function createSegmentationTopics(bootstrapServers: string): Promise<void> {
  await createTopics(bootstrapServers, {
    events: partitions,
    rules: partitions,
    'segment-changes': partitions,
  })
}

/** Writes the example's records with schemas that a registry has. */
export class SegmentationRecords {
  readonly firstEvents: AvroValues
  readonly events: AvroValues
  readonly rules: AvroValues
  /** What the application puts out. */
  readonly changes: AvroValues

  private constructor(firstEvents: AvroValues, events: AvroValues, rules: AvroValues, changes: AvroValues) {
    this.firstEvents = firstEvents
    this.events = events
    this.rules = rules
    this.changes = changes
  }

  /** Registers the topics' schemas, those of events in the order in which they came. */
  static async register(registryUrl: string): Promise<SegmentationRecords> {
    const firstEvents = await AvroValues.register(registryUrl, 'events', firstUserEventSchema)
    return new SegmentationRecords(
      firstEvents,
      await AvroValues.register(registryUrl, 'events', userEventSchema),
      await AvroValues.register(registryUrl, 'rules', ruleSchema),
      await AvroValues.register(registryUrl, 'segment-changes', segmentChangeSchema),
    )
  }

  /** A rule goes to every partition: each task reads one. @param rule null removes it */
  rule(id: string, rule: Rule | null, timestamp: number): OutgoingRecord[] {
    const value = rule === null ? null : this.rules.write(rule)
    return Array.from({ length: partitions }, (_, partition) => ({
      topic: 'rules',
      partition,
      key: id,
      value,
      timestamp,
    }))
  }

  event(event: UserEvent): OutgoingRecord {
    return {
      topic: 'events',
      key: event.user,
      value: this.events.write(event),
      timestamp: event.timestamp,
    }
  }

  /** As an app writes it that knows the first schema only. */
  firstEvent(event: Pick<UserEvent, 'user' | 'type' | 'timestamp'>): OutgoingRecord {
    const { user, type, timestamp } = event
    return {
      topic: 'events',
      key: user,
      value: this.firstEvents.write({ user, type, timestamp }),
      timestamp,
    }
  }
}

if (import.meta.main) {
  const [bootstrapServers = '127.0.0.1:9092', registryUrl = 'http://127.0.0.1:8081'] = process.argv.slice(2)
  await createSegmentationTopics(bootstrapServers)
  const records = await SegmentationRecords.register(registryUrl)
  const count = 20_000
  const startMs = Date.now() - count * 10
  const rule: Rule = {
    id: 'window-shopper',
    segment: 'window-shoppers',
    type: 'page-view',
    minCount: 20,
    windowMs: 60_000,
  }
  await produceAll(bootstrapServers, records.rule(rule.id, rule, startMs))
  const types = ['page-view', 'page-view', 'page-view', 'add-to-cart', 'purchase']
  const events = Array.from({ length: count }, (_, index) => {
    const event = {
      user: `user-${Math.floor(100 * Math.random() ** 2)}`,
      type: types[Math.floor(types.length * Math.random())]!,
      timestamp: startMs + index * 10,
    }
    return index % 3 === 0
      ? records.firstEvent(event)
      : records.event({ ...event, value: null, channel: 'app' })
  })
  console.log(
    `${bootstrapServers}: a rule, ${await produceAll(bootstrapServers, events)} events of two schemas`,
  )
}
