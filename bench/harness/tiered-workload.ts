import cassandra from 'cassandra-driver'
import { type CassandraService, startCassandra } from '../../test/services/cassandra.ts'
import { runStreamWorkload, type StreamNumber, type StreamVariant, streamNumbers } from './stream-workload.ts'
import type { System } from './system.ts'
import { weir } from './weir.ts'
import { cassandraEnv, initCassandra, KEYSPACE, warmUp } from './weir-cassandra.ts'
import { valueBytes, type Workload } from './workload.ts'

const MODULE = 'bench/pipeline/tiered-count.ts'
const MiB = 2 ** 20
/** As many records as keys' first reads are a twentieth of. */
const RECORDS_PER_LOCAL_KEY = 20
/** So many more keys than records that hardly one comes twice. */
const KEYS_PER_REMOTE_RECORD = 20

/** A plain store against a tiered one: what reads and writes of Cassandra cost. */
export const tiered: Workload<StreamNumber | 'valueBytes'> = {
  name: 'tiered',
  description: 'records counted by key in a tiered store, beside the same in a plain one',
  variants: ['cached', 'local', 'remote'],
  systems: ['weir-plain', 'weir'],
  numbers: {
    records: [1_000_000, 'input records'],
    valueBytes,
    ...streamNumbers,
  },
  async run(options, log) {
    await using service = await startCassandra()
    await warmUp(service)
    const env = { WEIR_MEMORY_BYTES: String(options.memoryBytes), ...cassandraEnv(service) }
    const { records } = options
    const variant = (name: string, keys: number, stateCacheBytes: number): StreamVariant => ({
      name,
      settings: { keys, stateCacheBytes },
      stateCacheBytes,
      topics: [],
      loader: 'LoadTopic',
      load: { keys, valueBytes: options.valueBytes },
      verifier: 'VerifyCounts',
    })
    const variants = [
      variant('cached', Math.ceil(records / RECORDS_PER_LOCAL_KEY), 256 * MiB),
      // A tenth of its rows are in the cache, the others in RocksDB.
      variant('local', Math.ceil(records / RECORDS_PER_LOCAL_KEY), MiB),
      variant('remote', records * KEYS_PER_REMOTE_RECORD, 256 * MiB),
    ]
    const plain = weir(MODULE, { ...env, WEIR_BENCH_TIERED: 'false' })
    const systems = [
      { ...plain, name: 'weir-plain', family: 'weir-plain' },
      onEmptyTable(weir(MODULE, { ...env, WEIR_BENCH_TIERED: 'true' }), service),
    ]
    return await runStreamWorkload({ name: 'tiered', variants, systems }, options, log)
  },
}

/** Cassandra has nothing of the runs before. */
function onEmptyTable(system: System, { host, port, localDataCenter }: CassandraService): System {
  return {
    ...system,
    async start(options) {
      await initCassandra(MODULE, { ...envOf(system), ...topicEnv(options.topics) })
      const contactPoints = [`${host}:${port}`]
      const client = new cassandra.Client({ contactPoints, localDataCenter, keyspace: KEYSPACE })
      try {
        await client.execute('TRUNCATE counts', [], { readTimeout: 60_000 })
      } finally {
        await client.shutdown()
      }
      return system.start(options)
    },
  }
}

function envOf(system: System): Record<string, string> {
  return system.describe().env as Record<string, string>
}

function topicEnv(topics: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(topics).map(([role, name]) => [`WEIR_BENCH_${role.toUpperCase()}_TOPIC`, name]),
  )
}
