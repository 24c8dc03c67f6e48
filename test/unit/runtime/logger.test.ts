import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LogLimiter } from '../../../src/runtime/logger.ts'

test('a line of one kind passes once a minute, with the count of those held back', () => {
  let now = 0
  const limiter = new LogLimiter(() => now)
  const lines: string[] = []
  const log = (key: string): void => limiter.once(key, (heldBack) => lines.push(`${key} ${heldBack}`))
  for (const at of [0, 1, 59_999, 60_000, 60_001, 200_000]) {
    now = at
    log('a')
  }
  log('b')
  assert.deepEqual(lines, ['a 0', 'a 2', 'a 1', 'b 0'])
})

test('keys are bounded', () => {
  const limiter = new LogLimiter(() => 0)
  let logged = 0
  for (let key = 0; key < 1_500; key++) limiter.once(String(key), () => logged++)
  limiter.once('1499', () => logged++)
  limiter.once('0', () => logged++)
  assert.equal(logged, 1_501)
})
