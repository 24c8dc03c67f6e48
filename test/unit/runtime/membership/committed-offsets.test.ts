import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CommittedOffsets } from '../../../../src/runtime/membership/committed-offsets.ts'

test('of topics that may be deleted only what has moved on is committed', () => {
  const committed = new CommittedOffsets((topic) => topic.startsWith('followed'))
  const offsets = [
    { topic: 'followed-1', partition: 0, offset: 24 },
    { topic: 'followed-1', partition: 1, offset: 16 },
    { topic: 'named', partition: 0, offset: 5 },
  ]
  assert.deepEqual(committed.moved(offsets), offsets, 'nothing is known')
  committed.set(offsets)
  const later = [offsets[0]!, { ...offsets[1]!, offset: 17 }, offsets[2]!]
  assert.deepEqual(committed.moved(later), [later[1], later[2]], 'a named topic is committed as ever')
  // Deleted and made anew: the group has nothing of it.
  committed.set([{ ...offsets[0]!, offset: -1001 }])
  assert.deepEqual(committed.moved([offsets[0]!]), [offsets[0]])
})
