import { join } from 'node:path'
import { answersOk } from '../../test/services/http.ts'
import { freePorts } from '../../test/services/ports.ts'
import { repoDir } from './paths.ts'
import { sumOf } from './prometheus.ts'
import { type System, type SystemOptions, SystemProcess } from './system.ts'

export interface WeirSetup {
  /** For /metrics and probes. Default: a free one. */
  readonly port?: number
  /** Whether the module's stores hold updates back until a commit; it finds this in WEIR_BENCH_CACHING. Default: false. */
  readonly caching?: boolean
}

/**
 * Weir running a topology module of bench/pipeline/, which finds its topics in WEIR_BENCH_INPUT_TOPIC and so on.
 *
 * @param env its settings: WEIR_MEMORY_BYTES at least
 */
export function weir(
  module: string,
  env: { readonly WEIR_MEMORY_BYTES: string } & Record<string, string>,
  { port, caching = false }: WeirSetup = {},
): System {
  const name = caching ? 'weir-caching' : 'weir'
  const fixedEnv = { ...env, WEIR_LOG_LEVEL: 'warn', WEIR_BENCH_CACHING: String(caching) }
  return {
    name,
    family: 'weir',
    forwardsEveryUpdate: !caching,
    describe: () => ({ module, env: fixedEnv }),
    async start(options: SystemOptions) {
      const httpPort = port ?? (await freePorts(1))[0] ?? 0
      const env = {
        ...fixedEnv,
        WEIR_APPLICATION_ID: options.applicationId,
        WEIR_BOOTSTRAP_SERVERS: options.bootstrapServers,
        WEIR_NUM_STREAM_THREADS: String(options.threads),
        WEIR_COMMIT_INTERVAL_MS: String(options.commitIntervalMs),
        WEIR_PROCESSING_GUARANTEE: options.processingGuarantee,
        WEIR_STATESTORE_CACHE_MAX_BYTES: String(options.stateCacheBytes),
        WEIR_HTTP_PORT: String(httpPort),
        WEIR_STATE_DIR: options.stateDir,
        ...Object.fromEntries(
          Object.entries(options.topics).map(([role, topic]) => [
            `WEIR_BENCH_${role.toUpperCase()}_TOPIC`,
            topic,
          ]),
        ),
      }
      const args = [join(repoDir, 'src/cli/main.ts'), 'run', join(repoDir, module)]
      const url = `http://127.0.0.1:${httpPort}`
      return new SystemProcess({
        name,
        command: join(repoDir, 'scripts/node'),
        args,
        logFile: options.logFile,
        env,
        isReady: () => answersOk(`${url}/readyz`, 1_000),
        hasProcessed: async () => (await processedRecords(url)) >= options.records,
      })
    },
  }
}

async function processedRecords(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(20_000) })
  return sumOf(await response.text(), 'weir_process_records_total')
}
