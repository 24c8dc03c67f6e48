import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

import { StateCleaner } from '../../../src/runtime/state-cleaner.ts'

const nothing = (): void => {}

/** A folder with three tasks, of which these are open; a look removes what was not used for 1,000 ms. */
function setUp(open: readonly string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'weir-cleaner-'))
  for (const name of ['0_0', '0_1', '1_12', '0_3.damaged', 'global']) {
    mkdirSync(path.join(folder, name))
    writeFileSync(path.join(folder, name, 'CURRENT'), '')
  }
  writeFileSync(path.join(folder, 'weir.json'), '')
  const state = { open: new Set(open), isRebalancing: false, now: 5_000 }
  const warnings: unknown[] = []
  const cleaner = new StateCleaner({
    folder,
    delayMs: 1_000,
    openTasks: () => state.open,
    isRebalancing: () => state.isRebalancing,
    logger: { debug: nothing, info: nothing, warn: (fields) => warnings.push(fields), error: nothing },
    now: () => state.now,
  })
  /** What is there after a look at this time. */
  const lookAt = async (now: number): Promise<string[]> => {
    state.now = now
    await cleaner.look()
    assert.deepEqual(warnings, [])
    return readdirSync(folder).sort()
  }
  return { folder, state, lookAt }
}

const others = ['0_3.damaged', 'global', 'weir.json']

test('what is not used for long goes, what is open stays, and so does everything else in the folder', async () => {
  const { lookAt } = setUp(['0_1'])
  assert.deepEqual(await lookAt(5_000), ['0_0', '0_1', ...others.slice(0, 1), '1_12', ...others.slice(1)])
  assert.equal((await lookAt(5_999)).length, 6)
  assert.deepEqual(await lookAt(6_000), ['0_1', ...others])
  assert.deepEqual(await lookAt(900_000), ['0_1', ...others])
})

test('the time counts from when the task left, and not for one that came back', async () => {
  const { state, lookAt } = setUp(['0_0', '0_1', '1_12'])
  await lookAt(5_000)
  state.open = new Set(['0_0'])
  await lookAt(50_000)
  state.open = new Set(['0_0', '0_1'])
  await lookAt(50_500)
  state.open = new Set(['0_0'])
  assert.deepEqual(await lookAt(51_000), ['0_0', '0_1', ...others])
  assert.deepEqual(await lookAt(51_999), ['0_0', '0_1', ...others])
  assert.deepEqual(await lookAt(52_000), ['0_0', ...others])
})

test('a process that waits for its group removes nothing, and counts anew', async () => {
  const { state, lookAt } = setUp([])
  await lookAt(5_000)
  state.isRebalancing = true
  assert.equal((await lookAt(100_000)).length, 6)
  state.isRebalancing = false
  assert.equal((await lookAt(100_500)).length, 6)
  assert.deepEqual(await lookAt(101_500), others)
})

test('what a crash has left of a removal goes with the next look', async () => {
  const { folder, lookAt } = setUp(['0_0', '0_1', '1_12'])
  mkdirSync(path.join(folder, '0_7.removed'))
  assert.ok(!(await lookAt(5_000)).includes('0_7.removed'))
})
