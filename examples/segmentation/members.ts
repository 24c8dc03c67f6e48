import { crc32 } from 'node:zlib'

import { cassandra, type StreamRecord } from '../../src/index.ts'
import type { SegmentChange } from './records.ts'

/**
 * A segment may have tens of millions of members, and a partition of Cassandra should have some hundred
 * thousand rows at the most.
 */
export const buckets = 64

/** CRC-32 is in the library of whatever language reads the table. */
export function bucketOf(user: string): number {
  return crc32(user) % buckets
}

/** Who is in which segment. A row for each rule: who leaves the segment of one may be there by another. */
export const members = cassandra.table({
  name: 'members',
  partitionKey: { segment: 'text', bucket: 'int' },
  clusteringKey: { user: 'text', rule: 'text' },
  columns: { since: 'timestamp' },
  map: (_: string, { change, at }: SegmentChange) => (change === 'entered' ? { since: at } : null),
  key: (user: string, { value }: StreamRecord<string, SegmentChange | null>) =>
    value === null ? null : { segment: value.segment, bucket: bucketOf(user), user, rule: value.rule },
})
