import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import cassandra from 'cassandra-driver'

import type { CassandraService } from '../../test/services/cassandra.ts'
import { repoDir } from './paths.ts'

export const KEYSPACE = 'weir_bench'

/** Weir's settings of a node and the benches' keyspace. */
export function cassandraEnv(service: CassandraService): Record<string, string> {
  return {
    WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${service.port}`,
    WEIR_CASSANDRA_LOCAL_DATACENTER: service.localDataCenter,
    WEIR_CASSANDRA_KEYSPACE: KEYSPACE,
  }
}

/** `weir cassandra init`: what is there stays. */
export async function initCassandra(module: string, env: Readonly<Record<string, string>>): Promise<void> {
  const args = [join(repoDir, 'src/cli/main.ts'), 'cassandra', 'init', join(repoDir, module)]
  await promisify(execFile)(join(repoDir, 'scripts/node'), [...args, '--replication', '1'], {
    env: { ...process.env, ...env },
  })
}

const WARM_UP_ROWS = 200_000
const WARM_UP_IN_FLIGHT = 64

/** Writes and reads until the node's code is compiled, which takes a third of its time at first. */
export async function warmUp({ host, port, localDataCenter }: CassandraService): Promise<void> {
  const client = new cassandra.Client({ contactPoints: [`${host}:${port}`], localDataCenter })
  const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
  const options = { prepare: true }
  const keyOf = (number: number): Buffer => Buffer.from(`user-${number}`)
  const inTurn = async (count: number, request: (number: number) => Promise<unknown>): Promise<void> => {
    let next = 0
    const some = async (): Promise<void> => {
      while (next < count) await request(next++)
    }
    await Promise.all(Array.from({ length: WARM_UP_IN_FLIGHT }, some))
  }
  try {
    await client.execute(`CREATE KEYSPACE warm_up WITH replication = ${replication}`)
    await client.execute('CREATE TABLE warm_up.rows (key blob PRIMARY KEY, value blob, ts bigint)')
    const insert = 'INSERT INTO warm_up.rows (key, value, ts) VALUES (?, ?, 1) USING TIMESTAMP 1'
    await inTurn(WARM_UP_ROWS, (number) =>
      client.execute(insert, [keyOf(number), Buffer.alloc(100)], options),
    )
    const select = 'SELECT key, value, ts FROM warm_up.rows WHERE key IN ?'
    const sixteen = (number: number): Buffer[] =>
      Array.from({ length: 16 }, (_, index) => keyOf(number * 16 + index))
    // Half of them are not there.
    await inTurn(WARM_UP_ROWS / 8, (number) => client.execute(select, [sixteen(number)], options))
    await client.execute('DROP KEYSPACE warm_up', [], { readTimeout: 60_000 })
  } finally {
    await client.shutdown()
  }
}
