import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type LoadingRow, RowLoads } from '../../../src/state/row-loads.ts'
import type { TierRow } from '../../../src/state/store-tier.ts'
import { RememberingTier } from '../../support/opened-tier.ts'

/** Has a row for each key with a `k`, whose value is the key; `r1-...` is on node r1. */
class Nodes extends RememberingTier {
  readonly requests: string[][] = []
  fails: Error | null = null

  override nodeOf(key?: Buffer): string {
    return String(key).split('-')[0]!
  }

  override async readSome(keys: readonly Buffer[]): Promise<readonly (TierRow | null)[]> {
    this.requests.push(keys.map(String))
    await this.gate
    if (this.fails !== null) throw this.fails
    return keys.map((value) => {
      if (String(value).includes('bad')) return new Error('can have no row') as never
      return String(value).includes('k') ? { value, timestampMs: 1 } : null
    })
  }
}

function open(tier = new Nodes()) {
  const arrived: string[] = []
  const loads = new RowLoads(tier, (row, came) => {
    if (String(row.key).includes('odd')) throw new RangeError('cannot be read')
    if (!row.isOvertaken) arrived.push(String(row.key))
    row.value = came?.value.toString() ?? null
    return String(row.key).includes('later') ? Promise.resolve() : null
  })
  const load = async (name: string): Promise<unknown> => {
    const row = loads.load(Buffer.from(name), name)
    await row.done
    return row.error ?? row.value
  }
  return { tier, loads, load, arrived }
}

test('what is asked for in one turn goes together: by node, up to 16, each key once', async () => {
  const { tier, loads, load, arrived } = open()
  const names = Array.from({ length: 20 }, (_, index) => `r1-${index % 3 === 0 ? 'none' : 'k'}${index}`)
  const others = ['r2-k1', 'r2-none', 'r2-k1', 'r2-later-k']
  const values = await Promise.all([...names, ...others].map(load))
  assert.deepEqual(
    values,
    [...names, ...others].map((name) => (name.includes('k') ? name : null)),
  )
  assert.deepEqual(
    tier.requests.map((keys) => [keys[0], keys.length]),
    [
      ['r1-none0', 16],
      ['r1-k16', 4],
      ['r2-k1', 3],
    ],
  )
  assert.equal(loads.isEmpty, true)
  assert.equal(arrived.length, 23)
  assert.equal(await load('r1-k7'), 'r1-k7')
  assert.equal(tier.requests.at(-1)!.length, 1)
})

test('one that cannot come, or be read, does not keep others away; a request that fails does', async () => {
  const { tier, loads, load } = open()
  const [bad, odd, fine] = await Promise.all(['r1-bad', 'r1-odd', 'r1-k'].map(load))
  assert.deepEqual(
    [String(bad), String(odd), fine],
    ['Error: can have no row', 'RangeError: cannot be read', 'r1-k'],
  )
  tier.fails = new Error('closed')
  const failed = await Promise.all(['r1-k1', 'r1-k2'].map(load))
  assert.deepEqual(failed.map(String), ['Error: closed', 'Error: closed'])
  assert.equal(loads.isEmpty, true)
  tier.fails = null
  assert.equal(await load('r1-k1'), 'r1-k1')
})

test('what was put meanwhile is overtaken; what is forgotten is asked for anew', async () => {
  const { tier, loads, arrived } = open()
  const { promise, resolve } = Promise.withResolvers<void>()
  tier.gate = promise
  const load = (name: string): LoadingRow => loads.load(Buffer.from(name), name)
  const [put, forgotten] = [load('r1-k1'), load('r1-k2')]
  loads.overtake('r1-k1')
  assert.equal(load('r1-k2'), forgotten)
  await new Promise((done) => setImmediate(done))
  loads.forget()
  const again = load('r1-k2')
  assert.notEqual(again, forgotten)
  resolve()
  await Promise.all([put.done, forgotten.done, again.done])
  assert.deepEqual([put.value, forgotten.value, again.value], ['r1-k1', 'r1-k2', 'r1-k2'])
  assert.deepEqual(arrived, ['r1-k2'])
  assert.equal(loads.isEmpty, true)
})
