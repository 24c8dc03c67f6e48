import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'

import { HEARTBEAT_INTERVAL_MS, Heartbeat } from '../../../src/runtime/heartbeat.ts'

const counters = new SharedArrayBuffer(12)
const beats = new Int32Array(counters)

beforeEach(() => {
  mock.timers.enable({ apis: ['Date', 'setInterval'] })
  beats.fill(0)
})
afterEach(() => mock.timers.reset())

test('each beat is counted for its thread alone', () => {
  const heartbeat = new Heartbeat(counters, 1)
  heartbeat.beat()
  heartbeat.beat()
  assert.deepEqual([...beats], [0, 2, 0])
})

test('a pause is told once, when more than two seconds lie between two beats', () => {
  const heartbeat = new Heartbeat(counters, 0)
  mock.timers.tick(2_000)
  heartbeat.beat()
  assert.equal(heartbeat.takePause(), false)
  mock.timers.tick(2_001)
  assert.equal(heartbeat.takePause(), false)
  heartbeat.beat()
  heartbeat.beat()
  assert.equal(heartbeat.takePause(), true)
  assert.equal(heartbeat.takePause(), false)
})

test('it goes on while the thread waits, and no longer', async () => {
  const heartbeat = new Heartbeat(counters, 2)
  const { promise, resolve } = Promise.withResolvers<string>()
  const waiting = heartbeat.whileAlive(promise)
  for (let beat = 1; beat <= 20; beat++) {
    mock.timers.tick(HEARTBEAT_INTERVAL_MS)
    assert.equal(beats[2], beat)
  }
  assert.equal(heartbeat.takePause(), false)
  resolve('done')
  assert.equal(await waiting, 'done')
  mock.timers.tick(HEARTBEAT_INTERVAL_MS)
  assert.equal(beats[2], 20)
})
