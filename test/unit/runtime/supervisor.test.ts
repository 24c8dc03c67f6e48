import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { Supervisor } from '../../../src/runtime/supervisor.ts'

/** Two threads, a limit of 4 s (checked every second), and a clock. */
function setUp() {
  const heartbeats = new SharedArrayBuffer(8)
  const counters = new Int32Array(heartbeats)
  const waiting = [false, false]
  const threads = [0, 1].map((index) => ({ index, isWaiting: () => waiting[index]! }))
  const supervisor = new Supervisor(heartbeats, 4_000, 0)
  for (const thread of threads) supervisor.watch(thread, 0)
  let now = 0
  return {
    counters,
    waiting,
    /** For how long each thread has not turned, ms, after so long. */
    standstills(ms: number): number[] {
      now += ms
      return [...supervisor.standstills(now)].map(([, stillMs]) => stillMs)
    },
    forget: (index: number): void => supervisor.forget(threads[index]!),
    /** Another thread in the place of one. */
    replace: (index: number): void => {
      supervisor.forget(threads[index]!)
      threads[index] = { index, isWaiting: () => false }
      supervisor.watch(threads[index]!, now)
    },
    /** A second passes, in which these threads turn. @returns the thread found stuck */
    second(...alive: number[]): number | null {
      now += 1_000
      for (const index of alive) Atomics.add(counters, index, 1)
      return supervisor.check(now)?.index ?? null
    },
    pause(ms: number): number | null {
      now += ms
      return supervisor.check(now)?.index ?? null
    },
  }
}

describe('Supervisor', () => {
  test('finds the thread whose counter stands still for longer than the limit', () => {
    const { second } = setUp()
    assert.deepEqual(
      [second(0, 1), second(0), second(0), second(0), second(0)],
      [null, null, null, null, null],
    )
    assert.equal(second(0), 1)
  })

  test('tells for how long threads have not turned, as exactly as it is asked', () => {
    const { second, counters, standstills, waiting } = setUp()
    second(0, 1)
    assert.deepEqual(standstills(300), [300, 300])
    counters[0]!++
    assert.deepEqual(standstills(300), [0, 600])
    assert.deepEqual(standstills(100), [100, 700])
    waiting[1] = true
    assert.deepEqual(standstills(100), [200, 0])
  })

  test('a counter that wraps around still moves', () => {
    const { second, counters } = setUp()
    counters.fill(2 ** 31 - 1)
    for (let n = 0; n < 8; n++) assert.equal(second(0, 1), null)
  })

  test('a thread that waits for the main thread is not stuck', () => {
    const { second, waiting } = setUp()
    waiting[1] = true
    for (let n = 0; n < 10; n++) assert.equal(second(0), null)
    waiting[1] = false
    assert.deepEqual([second(0), second(0), second(0), second(0)], [null, null, null, null])
    assert.equal(second(0), 1)
  })

  test('a thread that has ended is not missed, and one in its place gets its time anew', () => {
    const { second, forget, replace } = setUp()
    forget(1)
    for (let n = 0; n < 10; n++) assert.equal(second(0), null)
    replace(1)
    assert.deepEqual([second(0), second(0), second(0), second(0)], [null, null, null, null])
    assert.equal(second(0), 1)
  })

  test("a pause of the whole process is nobody's fault", () => {
    const { second, pause } = setUp()
    second(0, 1)
    assert.equal(pause(60_000), null)
    assert.deepEqual([second(0), second(0), second(0), second(0)], [null, null, null, null])
    assert.equal(second(0), 1)
  })
})
