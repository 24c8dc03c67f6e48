import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import type { CassandraTable } from '../../../src/cassandra/cassandra-table.ts'
import { QUEUE_ROWS_MAX, RowQueue } from '../../../src/cassandra/row-queue.ts'
import type { RowWrite } from '../../../src/cassandra/row-write.ts'

const source = { taskId: '0_0', node: 'SINK', table: 'rows', asked: null }
const [rows, others] = ['rows', 'others'].map(
  (name) =>
    cassandra.table({
      name,
      partitionKey: { p: 'text' },
      clusteringKey: { c: 'int' },
      columns: { v: 'text' },
      map: (_: unknown, value: { v: string }) => value,
    }) as CassandraTable,
)

function write(partition: string, clustering: number, value = 'v', table = rows!): RowWrite {
  const key = [partition, clustering]
  return {
    table,
    partition,
    goesWithOthers: false,
    key,
    values: [value],
    ttlSeconds: 0,
    timestampUs: 1,
    source,
  }
}

const keysOf = (batch: readonly { readonly write: RowWrite }[] | null): string[] | undefined =>
  batch?.map((row) => `${row.write.table.name} ${row.write.key.join('')}`)

describe('rows that wait', () => {
  test('those of one partition go together, in their order; partitions take turns', () => {
    const queue = new RowQueue<string>(1 << 20)
    for (const [partition, clustering] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['c', 1],
      ['a', 3],
    ] as const)
      queue.add(write(partition, clustering), 'task')
    queue.add(write('a', 9, 'v', others), 'task')
    assert.deepEqual(keysOf(queue.take()), ['rows a1', 'rows a2', 'rows a3'])
    queue.add(write('a', 4), 'task')
    assert.deepEqual(keysOf(queue.take()), ['rows b1'])
    assert.deepEqual(keysOf(queue.take()), ['rows c1'])
    assert.deepEqual(keysOf(queue.take()), ['others a9'])
    assert.deepEqual(keysOf(queue.take()), ['rows a4'])
    assert.equal(queue.take(), null)
  })

  test('a request has up to 100 rows and 64 KiB; a larger row goes alone', () => {
    const queue = new RowQueue<string>(1 << 30)
    for (let index = 0; index < 250; index++) queue.add(write('a', index), 'task')
    queue.add(write('b', 0), 'task')
    assert.equal(queue.take()!.length, 100)
    // What is left of a partition waits behind the others.
    assert.deepEqual(keysOf(queue.take()), ['rows b0'])
    assert.equal(queue.take()!.length, 100)
    assert.equal(queue.take()!.length, 50)
    for (const [index, size] of [10, 40_000, 30_000, 500_000, 10].entries())
      queue.add(write('c', index, 'x'.repeat(size)), 'task')
    assert.deepEqual(keysOf(queue.take()), ['rows c0', 'rows c1'])
    assert.deepEqual(keysOf(queue.take()), ['rows c2'])
    assert.deepEqual(keysOf(queue.take()), ['rows c3'])
    assert.deepEqual(keysOf(queue.take()), ['rows c4'])
  })

  test('small partitions of a group go together, up to ten and 4 KiB; others keep their turns', () => {
    const queue = new RowQueue<string>(1 << 30, ({ partition }) => (partition < 'x' ? partition[0]! : null))
    for (let index = 0; index < 12; index++) queue.add(write(`a${index}`, 0), 'task')
    for (const partition of ['x', 'b0', 'a0', 'y', 'b1']) queue.add(write(partition, 1), 'task')
    queue.add(write('b2', 1, 'v', others), 'task')
    assert.deepEqual(keysOf(queue.take()), [
      'rows a00',
      'rows a01',
      ...Array.from({ length: 9 }, (_, index) => `rows a${index + 1}0`),
    ])
    assert.deepEqual(keysOf(queue.take()), ['rows a100', 'rows a110'])
    assert.deepEqual(keysOf(queue.take()), ['rows x1'])
    assert.deepEqual(keysOf(queue.take()), ['rows b01', 'rows b11'])
    assert.deepEqual(keysOf(queue.take()), ['rows y1'])
    assert.deepEqual(keysOf(queue.take()), ['others b21'])
    assert.equal(queue.take(), null)

    for (const [index, size] of [2_000, 1_500, 1_000, 10].entries())
      queue.add(write(`c${index}`, 0, 'x'.repeat(size)), 'task')
    assert.deepEqual(keysOf(queue.take()), ['rows c00', 'rows c10'])
    assert.deepEqual(keysOf(queue.take()), ['rows c20', 'rows c30'])
    // More than fits into one request goes alone, and so does what is left of it, in its turn.
    for (let index = 0; index < 150; index++) queue.add(write('d', index), 'task')
    queue.add(write('d1', 0), 'task')
    assert.equal(queue.take()!.length, 100)
    assert.deepEqual(keysOf(queue.take())?.slice(0, 2), ['rows d10', 'rows d100'])
    assert.equal(queue.take(), null)
    assert.equal(queue.rows, 173)
  })

  test('it is full at so many rows, or bytes, until they are released', () => {
    const many = new RowQueue<string>(1 << 30)
    for (let index = 0; index < QUEUE_ROWS_MAX; index++) {
      assert.equal(many.isFull, false)
      many.add(write(`p${index}`, 1), 'task')
    }
    assert.equal(many.isFull, true)
    const first = many.take()!
    // On its way: it still counts.
    assert.equal(many.isFull, true)
    many.release(first)
    assert.equal(many.isFull, false)

    const large = new RowQueue<string>(100_000)
    large.add(write('a', 1, 'x'.repeat(60_000)), 'task')
    assert.equal(large.isFull, false)
    large.add(write('b', 1, 'x'.repeat(60_000)), 'task')
    assert.equal(large.isFull, true)
    assert.ok(large.bytes > 120_000 && large.bytes < 121_000, String(large.bytes))
    large.release(large.take()!)
    assert.equal(large.isFull, false)
    large.release(large.take()!)
    assert.deepEqual([large.rows, large.bytes], [0, 0])
  })
})
