import assert from 'node:assert/strict'
import { test } from 'node:test'

import { changelogId } from '../../../src/commit/changelog-ends.ts'
import { encodeOffsetMetadata } from '../../../src/commit/offset-metadata.ts'
import { tierChangelogs, tierWatermarks } from '../../../src/runtime/tier-watermarks.ts'
import topology from '../../support/topologies/tiered-count.ts'

test('what committed offsets say of changelogs is what may be deleted of those of tiered stores', () => {
  const topics = { 'app-counts-changelog': { partitions: 2, id: 'now' } }
  const changelogs = tierChangelogs(topology.build(), 'app', topics)
  const metadata = encodeOffsetMetadata(
    5,
    new Map(),
    new Map([
      [changelogId('counts', 'now'), 40],
      // A changelog that was there before; a store that is not tiered.
      [changelogId('counts', 'before'), 70],
      [changelogId('others', 'now'), 90],
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
})
