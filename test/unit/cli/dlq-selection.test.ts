import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { DeadLetterRecord } from '../../../src/cli/dlq-record.ts'
import { planReplay } from '../../../src/cli/dlq-replay.ts'
import { boundsOf, parseSelection } from '../../../src/cli/dlq-selection.ts'
import { Headers } from '../../../src/process/headers.ts'

function letter(fields: Partial<DeadLetterRecord>): DeadLetterRecord {
  return {
    partition: 0,
    offset: 0,
    timestamp: 1,
    key: Buffer.from('k'),
    value: null,
    headers: Headers.empty,
    exception: 'Error',
    message: 'm',
    stacktrace: 's',
    sourceTopic: 'in',
    sourcePartition: 0,
    sourceOffset: 0,
    ...fields,
  }
}

describe('a selection of dead letters', () => {
  test('by records: read from the first to the last of each partition', () => {
    const selection = parseSelection({ records: '0:5, 0:8-9,2:3' })
    assert.deepEqual(boundsOf(selection, 0, [0, 100]), { from: 5, end: 10 })
    assert.equal(boundsOf(selection, 1, [0, 100]), null)
    assert.deepEqual(boundsOf(selection, 2, [0, 100]), { from: 3, end: 4 })
    // What was deleted, or has not come, is not waited for.
    assert.equal(boundsOf(selection, 2, [4, 100]), null)
    assert.deepEqual(boundsOf(selection, 0, [6, 9]), { from: 6, end: 9 })
    const chosen = [4, 5, 6, 8, 9, 10].filter((offset) => selection.matches(letter({ offset })))
    assert.deepEqual(chosen, [5, 8, 9])
  })

  test('by source and exception: both must hold', () => {
    const selection = parseSelection({ source: 'in', exception: 'RangeError' })
    assert.deepEqual(boundsOf(selection, 7, [3, 9]), { from: 3, end: 9 })
    assert.equal(boundsOf(selection, 7, [9, 9]), null)
    assert.equal(selection.matches(letter({ exception: 'RangeError' })), true)
    assert.equal(selection.matches(letter({ exception: 'RangeError', sourceTopic: 'other' })), false)
    assert.equal(selection.matches(letter({})), false)
  })

  for (const records of ['', '0', '0:', '0:5-', '0:9-5', 'a:1', '0:1,,0:2', '-1:3']) {
    test(`no list of records: ${JSON.stringify(records)}`, () => {
      assert.throws(() => parseSelection({ records }), { code: 'config-invalid', message: /^--records: / })
    })
  }
})

test('a replay goes to where records came from; those that cannot go back are counted by why', async () => {
  async function* letters(): AsyncGenerator<DeadLetterRecord> {
    yield letter({ sourcePartition: 1 })
    yield letter({})
    yield letter({ sourcePartition: 1 })
    yield letter({ sourceTopic: null })
    yield letter({ sourceTopic: 'gone' })
    yield letter({ sourcePartition: 2 })
    yield letter({ key: null, value: null })
    yield letter({ sourceTopic: 'also', sourcePartition: 0, key: null, value: Buffer.alloc(0) })
  }
  const topics = new Map([
    ['in', 2],
    ['also', 1],
  ])
  assert.deepEqual(await planReplay(letters(), 'letters', topics), {
    deadLetterTopic: 'letters',
    targets: [
      { topic: 'also', partition: 0, records: 1 },
      { topic: 'in', partition: 0, records: 1 },
      { topic: 'in', partition: 1, records: 2 },
    ],
    leftAlone: [
      { reason: 'its headers do not tell where it came from', records: 1 },
      { reason: 'topic gone does not exist', records: 1 },
      { reason: 'topic in has no partition 2', records: 1 },
      { reason: 'it has neither a key nor a value: its input record was not at hand', records: 1 },
    ],
  })
})
