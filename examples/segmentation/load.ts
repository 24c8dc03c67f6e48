/** scripts/node examples/segmentation/load.ts <bootstrap servers> */
import { createTopics, type OutgoingRecord, produceAll } from '../support/kafka.ts'
import type { Rule, UserEvent } from './records.ts'

/** `rules` needs as many as `events`. */
export const partitions = 4

export async function createSegmentationTopics(bootstrapServers: string): Promise<void> {
  await createTopics(bootstrapServers, {
    events: partitions,
    rules: partitions,
    'segment-changes': partitions,
  })
}

/** A rule goes to every partition: each task reads one. @param rule null removes it */
export function ruleRecords(id: string, rule: Rule | null, timestamp: number): OutgoingRecord[] {
  const value = rule === null ? null : JSON.stringify(rule)
  return Array.from({ length: partitions }, (_, partition) => ({
    topic: 'rules',
    partition,
    key: id,
    value,
    timestamp,
  }))
}

export function eventRecord(event: UserEvent): OutgoingRecord {
  return { topic: 'events', key: event.user, value: JSON.stringify(event), timestamp: event.timestamp }
}

if (import.meta.main) {
  const bootstrapServers = process.argv[2] ?? '127.0.0.1:9092'
  await createSegmentationTopics(bootstrapServers)
  const count = 20_000
  const startMs = Date.now() - count * 10
  const rule: Rule = {
    id: 'window-shopper',
    segment: 'window-shoppers',
    type: 'page-view',
    minCount: 20,
    windowMs: 60_000,
  }
  await produceAll(bootstrapServers, ruleRecords(rule.id, rule, startMs))
  const types = ['page-view', 'page-view', 'page-view', 'add-to-cart', 'purchase']
  const events = Array.from(
    { length: count },
    (_, index): UserEvent => ({
      user: `user-${Math.floor(100 * Math.random() ** 2)}`,
      type: types[Math.floor(types.length * Math.random())]!,
      timestamp: startMs + index * 10,
    }),
  )
  console.log(
    `${bootstrapServers}: a rule, ${await produceAll(bootstrapServers, events.map(eventRecord))} events`,
  )
}
