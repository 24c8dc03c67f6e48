import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import { createKeyspace, createTable, tableStatements } from '../../../src/cassandra/cql.ts'
import { Headers } from '../../../src/process/headers.ts'

const record = (key: unknown, value: unknown) => ({ key, value, timestamp: 1_000, headers: Headers.empty })
const anyTable = cassandra.table as (options: unknown) => ReturnType<typeof cassandra.table>

describe('a table', () => {
  test('its statements', () => {
    const { schema } = cassandra.table({
      name: 'Views',
      partitionKey: { user: 'text', day: 'date' },
      clusteringKey: { page: 'text', at: 'timestamp' },
      clusteringOrder: { at: 'desc' },
      columns: { views: 'bigint', tags: 'set<text>' },
      map: () => ({}),
      ttlSeconds: 60,
      with: { gc_grace_seconds: 3_600, comment: "it's", compaction: { class: 'LeveledCompactionStrategy' } },
    })
    assert.equal(
      createTable('Shop', schema),
      [
        'CREATE TABLE IF NOT EXISTS "Shop"."Views" (',
        '  "user" text,',
        '  "day" date,',
        '  "page" text,',
        '  "at" timestamp,',
        '  "views" bigint,',
        '  "tags" set<text>,',
        '  PRIMARY KEY (("user", "day"), "page", "at")',
        ') WITH CLUSTERING ORDER BY ("page" ASC, "at" DESC)',
        '  AND gc_grace_seconds = 3600',
        "  AND comment = 'it''s'",
        "  AND compaction = {'class': 'LeveledCompactionStrategy'};",
      ].join('\n'),
    )
    assert.deepEqual(tableStatements('Shop', schema), {
      insert:
        'INSERT INTO "Shop"."Views" ("user", "day", "page", "at", "views", "tags") VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?',
      delete:
        'DELETE FROM "Shop"."Views" USING TIMESTAMP ? WHERE "user" = ? AND "day" = ? AND "page" = ? AND "at" = ?',
    })
    assert.equal(
      createKeyspace('Shop', new Map([['dc1', 3]])),
      `CREATE KEYSPACE IF NOT EXISTS "Shop" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3};`,
    )
  })

  test('keys: the only column, several columns, a function; null drops', () => {
    const one = cassandra.table({ name: 't', partitionKey: { user: 'text' } })
    assert.deepEqual(one.keyOf(record('ada', 1)), ['ada'])
    assert.deepEqual(one.keyOf(record({ user: 'ada' }, 1)), ['ada'])
    assert.equal(one.keyOf(record(null, 1)), null)
    assert.throws(() => one.keyOf(record(5, 1)), /^TypeError: cassandra.table t: key: user: 5 is no text$/)

    const two = cassandra.table({ name: 't', partitionKey: { a: 'text' }, clusteringKey: { b: 'int' } })
    assert.deepEqual(two.keyOf(record({ b: 1, a: 'x' }, 1)), ['x', 1])
    assert.throws(() => two.keyOf(record({ a: 'x' }, 1)), /key: b has no value$/)
    assert.throws(() => two.keyOf(record({ a: 'x', b: 1, c: 2 }, 1)), /key gave column c; there are a, b$/)
    assert.throws(() => two.keyOf(record('x', 1)), /key gave "x"; expected is an object of columns$/)

    const made = cassandra.table({
      name: 't',
      partitionKey: { a: 'text' },
      key: (key: string, { value }) => (value === null ? null : { a: `${key}!` }),
    })
    assert.deepEqual(made.keyOf(record('x', 1)), ['x!'])
    assert.equal(made.keyOf(record('x', null)), null)
  })

  test('values: null deletes, what is left out is null, what is unknown or wrong is an error', () => {
    const table = cassandra.table({
      name: 't',
      partitionKey: { user: 'text' },
      columns: { views: 'bigint', seen: 'timestamp' },
      map: (_: unknown, value: { views?: number; seen?: number; gone?: boolean }) =>
        value.gone === true ? null : value,
    })
    assert.deepEqual(table.valuesOf(record('ada', { views: 3 })), [3n, null])
    assert.equal(table.valuesOf(record('ada', null)), null)
    assert.equal(table.valuesOf(record('ada', { gone: true })), null)
    assert.throws(
      () => table.valuesOf(record('ada', { view: 3 })),
      /^TypeError: cassandra.table t: map gave column view; there are views, seen$/,
    )
    assert.throws(() => table.valuesOf(record('ada', { views: 1.5 })), /map: views: 1.5 is no bigint$/)
    const keyOnly = cassandra.table({ name: 't', partitionKey: { user: 'text' } })
    assert.deepEqual(keyOnly.valuesOf(record('ada', 1)), [])
  })

  test('time to live: fixed, or for each record', () => {
    const options = { name: 't', partitionKey: { user: 'text' } } as const
    assert.equal(cassandra.table(options).ttlOf(record('a', 1)), 0)
    assert.equal(cassandra.table({ ...options, ttlSeconds: 5 }).ttlOf(record('a', 1)), 5)
    const each = cassandra.table({
      ...options,
      ttlSeconds: (_: unknown, value: number) => (value < 0 ? null : value),
    })
    assert.deepEqual([each.ttlOf(record('a', 7)), each.ttlOf(record('a', -1))], [7, 0])
    assert.throws(
      () => each.ttlOf(record('a', 1.5)),
      /ttlSeconds is 1.5; allowed is a whole number from 0 \(never\) to 630720000$/,
    )
  })

  const name = 't'
  const partitionKey = { user: 'text' }
  const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
    [undefined, /^cassandra.table: the options must be an object/],
    [
      { partitionKey },
      /^cassandra.table: name is undefined; allowed are up to 48 letters, digits and underscores$/,
    ],
    [{ name: 'a-b', partitionKey }, /name is "a-b"; allowed/],
    [
      { name },
      /^cassandra.table t: partitionKey must be an object of columns and their types, not undefined$/,
    ],
    [{ name, partitionKey: {} }, /partitionKey is empty; allowed is at least one column$/],
    [{ name, partitionKey: { 'a b': 'text' } }, /partitionKey has column "a b"; allowed/],
    [
      { name, partitionKey: { a: 'string' } },
      /^cassandra.table t: column a has type "string"; allowed: ascii, bigint, /,
    ],
    [{ name, partitionKey: { a: 'set<int>' } }, /key column a is a set<int>; a key has no collections$/],
    [
      { name, partitionKey, columns: { v: 'list<int>' } },
      /column v is a list<int>, which has its elements twice when it is written twice: take frozen<list<int>>$/,
    ],
    [{ name, partitionKey, clusteringKey: { user: 'int' } }, /column user is given twice$/],
    [
      { name, partitionKey, columns: { v: 'int' } },
      /map is not given, which makes a record the values of its columns$/,
    ],
    [{ name, partitionKey, map: 5 }, /map must be a function, not a number$/],
    [{ name, partitionKey, key: {} }, /key must be a function, not an object$/],
    [
      { name, partitionKey, clusteringKey: { c: 'int' }, clusteringOrder: { x: 'asc' } },
      /clusteringOrder: unknown option x; allowed: c$/,
    ],
    [
      { name, partitionKey, clusteringKey: { c: 'int' }, clusteringOrder: { c: 'up' } },
      /clusteringOrder of c is "up"; allowed: asc, desc$/,
    ],
    [{ name, partitionKey, ttlSeconds: -1 }, /ttlSeconds is -1; allowed is a whole number/],
    [{ name, partitionKey, with: 'x' }, /with must be an object of table properties, not a string$/],
    [{ name, partitionKey, with: { 'a;': 1 } }, /with has property "a;"; properties are lower case$/],
    [{ name, partitionKey, with: { comment: null } }, /with: comment is null; allowed are text, numbers/],
    [{ name, partitionKey, ttl: 5 }, /unknown option ttl; allowed: name, partitionKey/],
  ]
  for (const [options, message] of wrong)
    test(`refused: ${message.source.slice(0, 60)}`, () =>
      assert.throws(() => anyTable(options), { name: 'TopologyError', message }))
})
