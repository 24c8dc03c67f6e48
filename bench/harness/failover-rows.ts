import { createHash } from 'node:crypto'
import cassandra from 'cassandra-driver'

import type { CassandraService } from '../../test/services/cassandra.ts'
import { KEYSPACE } from './weir-cassandra.ts'

/** The key of a row of the task that moves, by its number. */
export function rowKey(number: number): string {
  return `user-${String(number).padStart(10, '0')}`
}

const BATCH_ROWS = 50
const BATCHES_IN_FLIGHT = 16

/** Writes rows as LoadState does. Their timestamps are below those of any task. */
export async function fillTable(
  { host, port, localDataCenter }: CassandraService,
  rows: number,
  valueBytes: number,
  seed: number,
): Promise<void> {
  const client = new cassandra.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter,
    keyspace: KEYSPACE,
  })
  try {
    const insert = 'INSERT INTO rows (key, value, ts) VALUES (?, ?, 0) USING TIMESTAMP 1'
    let next = 0
    const write = async (): Promise<void> => {
      while (next < rows) {
        const from = next
        next = Math.min(rows, from + BATCH_ROWS)
        const statements = Array.from({ length: next - from }, (_, index) => ({
          query: insert,
          params: [Buffer.from(rowKey(from + index)), rowValue(from + index, valueBytes, seed)],
        }))
        await client.batch(statements, { prepare: true, logged: false })
      }
    }
    await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, write))
  } finally {
    await client.shutdown()
  }
}

function rowValue(number: number, valueBytes: number, seed: number): Buffer {
  const row = Buffer.alloc(8 + valueBytes)
  row.writeBigInt64BE(1n)
  const block = createHash('sha512').update(`${seed}/${number}`).digest()
  for (let at = 8; at < row.length; at += block.length) row.set(block.subarray(0, row.length - at), at)
  return row
}
