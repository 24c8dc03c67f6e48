import assert from 'node:assert/strict'
import { test } from 'node:test'

import { encodeOffsetMetadata } from '../../../src/commit/offset-metadata.ts'
import {
  storeWatermarks,
  tierChangelogs,
  tierWatermarks,
  watermarkName,
} from '../../../src/runtime/tier-watermarks.ts'
import topology from '../../support/topologies/tiered-count.ts'

test('what committed offsets say of changelogs is what may be deleted of those of tiered stores', () => {
  const topics = { 'app-counts-changelog': { partitions: 2, id: 'now' } }
  const changelogs = tierChangelogs(topology.build(), 'app', topics)
  const names = (topic: string, id: string): string =>
    watermarkName(topic, 'app', { [`app-${topic}-changelog`]: { partitions: 2, id } })
  const metadata = encodeOffsetMetadata(
    5,
    new Map([
      [names('counts', 'now'), 40],
      // A changelog that was there before; a store that is not tiered; what a processor keeps.
      [names('counts', 'before'), 70],
      [names('others', 'now'), 90],
      ['kept', 100],
    ]),
  )
  const positions = [
    { topic: 'numbers', partition: 0, offset: 100, metadata },
    { topic: 'numbers', partition: 1, offset: 100 },
  ]
  assert.deepEqual(
    [...tierWatermarks(positions, changelogs)],
    [{ topic: 'app-counts-changelog', partition: 0, offset: 40 }],
  )
  const stores = topology.build().subtopologies.flatMap((subtopology) => subtopology.stores)
  assert.deepEqual([...storeWatermarks(stores, 'app', topics, positions)], [['counts', 40]])
})
