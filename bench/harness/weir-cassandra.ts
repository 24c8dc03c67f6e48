import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

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
