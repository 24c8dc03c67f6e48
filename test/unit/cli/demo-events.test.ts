import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DemoEvents } from '../../../src/cli/demo-events.ts'

test('events come in the proportions promised, the same for the same seed', () => {
  const events = new DemoEvents(7)
  const again = new DemoEvents(7)
  const counts = new Map<string, number>()
  let ofBusyUsers = 0
  for (let index = 0; index < 100_000; index++) {
    const event = events.next(1_000 + index)
    assert.deepEqual(event, again.next(1_000 + index))
    assert.equal(event.timestamp, 1_000 + index)
    assert.equal(event.value !== null, event.type === 'purchase')
    counts.set(event.type, (counts.get(event.type) ?? 0) + 1)
    if (Number(event.user.slice('user-'.length)) < 500_000 / 12) ofBusyUsers++
  }
  const percents = { 'page-view': 90, 'add-to-cart': 8, purchase: 2 }
  for (const [type, percent] of Object.entries(percents)) {
    assert.ok(Math.abs((counts.get(type) ?? 0) / 1_000 - percent) < 1, `${type} ${counts.get(type)}`)
  }
  // x (1 - ln x) for the product of two even spreads.
  const share = (1 / 12) * (1 - Math.log(1 / 12))
  assert.ok(Math.abs(ofBusyUsers / 100_000 - share) < 0.01, String(ofBusyUsers))
})
