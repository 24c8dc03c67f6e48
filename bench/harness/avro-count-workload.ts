import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRegistry } from '../../test/services/registry.ts'
import { kafkaStreams } from './kafka-streams.ts'
import { repoDir } from './paths.ts'
import { runStreamWorkload, type StreamNumber, streamNumbers } from './stream-workload.ts'
import { weir } from './weir.ts'
import type { Workload } from './workload.ts'

const MiB = 2 ** 20
const STATE_CACHE_BYTES = 1024 * MiB

/** Page views in Avro, counted and added up per user. */
export const avroCount: Workload<StreamNumber | 'keys'> = {
  name: 'avro-count',
  description: 'page views in Avro, ten fields each, added up by user: Avro in, in the store, and out',
  variants: ['uniform'],
  systems: ['kafka-streams', 'weir'],
  numbers: {
    records: [4_000_000, 'input records'],
    keys: [500_000, 'users; the state cache holds them all'],
    ...streamNumbers,
    memoryBytes: [3 * 1024 * MiB, 'WEIR_MEMORY_BYTES'],
  },
  async run(options, log) {
    await using registry = await startRegistry()
    // Kafka Streams' serde is told the ids; Weir's asks the registry.
    const viewSchemaId = await register(registry.url, 'PageView')
    const totalsSchemaId = await register(registry.url, 'ViewTotals')
    const ids = { viewSchemaId, totalsSchemaId }
    const { keys, memoryBytes } = options
    const variant = {
      name: 'uniform',
      settings: { keys },
      stateCacheBytes: STATE_CACHE_BYTES,
      topics: [],
      loader: 'LoadPageViews',
      load: { keys, viewSchemaId },
      verifier: 'VerifyViews',
      verify: ids,
    }
    const ours = {
      WEIR_MEMORY_BYTES: String(memoryBytes),
      WEIR_SCHEMA_REGISTRY_URL: registry.url,
    }
    const systems = [
      kafkaStreams({ peer: 'AvroCountPeer', hasCache: false, args: ids }),
      kafkaStreams({ peer: 'AvroCountPeer', hasCache: true, args: ids }),
      weir('bench/pipeline/avro-count.ts', ours),
      weir('bench/pipeline/avro-count.ts', ours, { caching: true }),
    ]
    return await runStreamWorkload({ name: 'avro-count', variants: [variant], systems }, options, log)
  },
}

/** Registers a schema of bench/pipeline/schemas under the name of its record. @returns its id */
async function register(registryUrl: string, name: string): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/weir.bench.${name}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({
      schema: readFileSync(join(repoDir, `bench/pipeline/schemas/${name}.avsc`), 'utf8'),
    }),
  })
  const answer = (await response.json()) as { id?: number }
  if (!response.ok || answer.id === undefined)
    throw new Error(`schema ${name} was not registered: ${response.status} ${JSON.stringify(answer)}`)
  return answer.id
}
