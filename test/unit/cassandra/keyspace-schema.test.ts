import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import { compareKeyspace, keyspaceProblem } from '../../../src/cassandra/keyspace-schema.ts'

const { schema } = cassandra.table({
  name: 'views',
  partitionKey: { user: 'text' },
  clusteringKey: { page: 'text', at: 'timestamp' },
  clusteringOrder: { at: 'desc' },
  columns: { views: 'bigint', tags: 'set<text>' },
  map: () => ({}),
})

type Column = [name: string, kind: string, position: number, type: string, order?: string]
const good: readonly Column[] = [
  ['at', 'clustering', 1, 'timestamp', 'desc'],
  ['page', 'clustering', 0, 'text', 'asc'],
  ['tags', 'regular', -1, 'set<text>'],
  ['user', 'partition_key', 0, 'text'],
  ['views', 'regular', -1, 'bigint'],
]

/** @param columns null: there is no keyspace */
async function problem(columns: readonly Column[] | null): Promise<string | null> {
  const found = await compareKeyspace(
    {
      read: async (query) => {
        if (query.includes('system_schema.keyspaces'))
          return columns === null ? [] : [{ keyspace_name: 'shop' }]
        return columns!.map(([column_name, kind, position, type, clustering_order = 'none']) => ({
          column_name,
          kind,
          position,
          type,
          clustering_order,
        }))
      },
    },
    'shop',
    [schema],
  )
  return keyspaceProblem('shop', found)
}

const without = (name: string): Column[] => good.filter(([column]) => column !== name)

describe('what a keyspace has, against what is needed', () => {
  test('the same, and what somebody else has added', async () => {
    assert.equal(await problem(good), null)
    assert.equal(
      await problem([...good, ['note', 'regular', -1, 'text'], ['shared', 'static', -1, 'int']]),
      null,
    )
  })

  test('what is missing is created by weir cassandra init', async () => {
    assert.equal(
      await problem(null),
      'keyspace shop (WEIR_CASSANDRA_KEYSPACE) does not exist in Cassandra: weir cassandra init creates what is missing',
    )
    assert.equal(
      await problem([]),
      'table views does not exist in keyspace shop in Cassandra: weir cassandra init creates what is missing',
    )
  })

  const differences: readonly (readonly [what: string, columns: readonly Column[], told: string])[] = [
    ['a column that is missing', without('views'), 'column views bigint is missing'],
    ['a type', [...without('views'), ['views', 'regular', -1, 'int']], 'column views is int, not bigint'],
    ['a static column', [...without('tags'), ['tags', 'static', -1, 'set<text>']], 'column tags is static'],
    [
      'another partition key',
      [...without('user'), ['user', 'partition_key', 0, 'uuid']],
      'its partition key is (user uuid), not (user text)',
    ],
    [
      'another order',
      [...without('at'), ['at', 'clustering', 1, 'timestamp', 'asc']],
      'its clustering key is (page text asc, at timestamp asc), not (page text asc, at timestamp desc)',
    ],
    [
      'a column in the key',
      [...without('views'), ['views', 'clustering', 2, 'bigint', 'asc']],
      'its clustering key is (page text asc, at timestamp desc, views bigint asc), not (page text asc, at timestamp desc), column views is in the key',
    ],
  ]
  for (const [what, columns, told] of differences)
    test(what, async () => {
      assert.equal(
        await problem(columns),
        `table views of keyspace shop is not what the topology needs: ${told}; weir cassandra init --print shows what is needed`,
      )
    })
})
