import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { slowTicks, Ticker } from '../../../src/runtime/ticker.ts'

test('a record that sees as many ticks as are slow has taken the limit for certain, and not much longer', () => {
  for (const limitMs of [1, 10, 15, 79, 80, 100, 1_000, 1_001, 86_400_000]) {
    const { intervalMs, slowTicks: ticks } = slowTicks(new SharedArrayBuffer(4), limitMs)
    // The first may come at once.
    assert.ok((ticks - 1) * intervalMs >= limitMs, String(limitMs))
    assert.ok((ticks - 1) * intervalMs < limitMs + Math.max(10, limitMs / 4), String(limitMs))
  }
})

test('ticks while it runs; not for a limit of 0', async () => {
  const standing = new Ticker(0)
  const ticker = new Ticker(80)
  const count = new Int32Array(ticker.ticks)
  // Its timer keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  while (Atomics.load(count, 0) < 2) await nextTurn()
  ticker.stop()
  clearInterval(alive)
  assert.equal(new Int32Array(standing.ticks)[0], 0)
})
