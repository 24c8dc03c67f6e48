import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WeirError } from '../../../src/errors/weir-error.ts'
import { whenTopicKnown } from '../../../src/runtime/retry.ts'

const unknown = () =>
  Object.assign(new Error('watermarks of t [3]: Broker: Unknown topic or partition'), {
    code: 'kafka:UNKNOWN_TOPIC_OR_PART',
  })

test('a broker that does not know a topic yet is asked again', async () => {
  let asked = 0
  const answer = await whenTopicKnown(async () => {
    if (++asked < 3) throw unknown()
    return [0, 7]
  }, new AbortController().signal)
  assert.deepEqual([answer, asked], [[0, 7], 3])
})

test('not for ever, not for another reason, and not once all stops', async () => {
  const never = (error: Error) => () => Promise.reject(error)
  const stopping = new AbortController()
  await assert.rejects(whenTopicKnown(never(unknown()), stopping.signal, 150), {
    code: 'kafka:UNKNOWN_TOPIC_OR_PART',
  })
  await assert.rejects(whenTopicKnown(never(new WeirError('fenced', 'gone')), stopping.signal), {
    code: 'fenced',
  })
  setTimeout(() => stopping.abort(), 50)
  await assert.rejects(whenTopicKnown(never(unknown()), stopping.signal), { message: /Unknown topic/ })
})
