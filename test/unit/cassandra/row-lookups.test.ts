import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type LookupSession, RowLookups } from '../../../src/cassandra/row-lookups.ts'
import type { CassandraResultRow } from '../../../src/cassandra/session.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'
import { invalid, timedOut } from '../../support/unsteady-cassandra.ts'

const tableOf = (name: string) =>
  stores.tieredKeyValue({ name, key: serdes.string, value: serdes.string }).tier!.table
const table = tableOf('counts')

/** Has a row for each key that begins with `k`, whose value is the key; `r1-...` is on node r1. */
class Nodes implements LookupSession {
  readonly requests: string[][] = []
  fails: (keys: readonly string[]) => Error | null = () => null

  async readSome(_table: unknown, keys: readonly Buffer[]): Promise<CassandraResultRow[]> {
    const names = keys.map(String)
    this.requests.push(names)
    const failure = this.fails(names)
    if (failure !== null) throw failure
    // As Cassandra answers: once for equal keys, in any order.
    return [...new Set(names)]
      .filter((name) => name.includes('k'))
      .reverse()
      .map((name) => ({ key: Buffer.from(name), value: Buffer.from(name), ts: 1n }))
  }

  replicaOf(key: Buffer): string {
    return key.toString().split('-')[0]!
  }
}

const read = async (lookups: RowLookups, name: string, of = table): Promise<string | null> => {
  const row = await lookups.read(of, Buffer.from(name))
  return row === null ? null : String(row.value)
}

test('what is asked for in one turn goes together: by table and node, up to 16', async () => {
  const nodes = new Nodes()
  const lookups = new RowLookups(nodes)
  const names = Array.from({ length: 20 }, (_, index) => `r1-${index % 3 === 0 ? 'none' : 'k'}${index}`)
  const others = ['r2-k1', 'r2-none', 'r2-k1']
  const [values, otherValues, ofOther] = await Promise.all([
    Promise.all(names.map((name) => read(lookups, name))),
    Promise.all(others.map((name) => read(lookups, name))),
    read(lookups, 'r1-k0', tableOf('sums')),
  ])
  assert.deepEqual(
    values,
    names.map((name) => (name.includes('k') ? name : null)),
  )
  assert.deepEqual(otherValues, ['r2-k1', null, 'r2-k1'])
  assert.equal(ofOther, 'r1-k0')
  assert.deepEqual(
    nodes.requests.map((keys) => [keys[0], keys.length]),
    [
      ['r1-none0', 16],
      ['r1-k16', 4],
      ['r2-k1', 3],
      ['r1-k0', 1],
    ],
  )
  assert.equal(await read(lookups, 'r1-k7'), 'r1-k7')
  assert.equal(nodes.requests.at(-1)!.length, 1)
})

test('a request that fails fails for all in it; one that is refused is asked for each by itself', async () => {
  const nodes = new Nodes()
  const lookups = new RowLookups(nodes)
  const all = (): Promise<PromiseSettledResult<string | null>[]> =>
    Promise.allSettled(['r1-k1', 'r1-k2', 'r1-bad'].map((name) => read(lookups, name)))
  nodes.fails = () => timedOut()
  assert.deepEqual(
    (await all()).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  assert.equal(nodes.requests.length, 1)
  nodes.fails = (keys) => (keys.includes('r1-bad') ? invalid('Key may not be empty') : null)
  const [first, second, bad] = await all()
  assert.deepEqual(
    [first, second],
    [
      { status: 'fulfilled', value: 'r1-k1' },
      { status: 'fulfilled', value: 'r1-k2' },
    ],
  )
  assert.match(String((bad as PromiseRejectedResult).reason), /Key may not be empty/)
})
