import { join } from 'node:path'
import { freePorts } from '../../test/services/ports.ts'
import { repoDir } from './paths.ts'
import { type System, type SystemOptions, SystemProcess } from './system.ts'

/**
 * Weir running a topology module of bench/pipeline/, which finds its topics in WEIR_BENCH_INPUT_TOPIC and so on.
 *
 * @param env its settings: WEIR_MEMORY_BYTES at least
 * @param port for /metrics and probes; a free one by default
 */
export function weir(
  module: string,
  env: { readonly WEIR_MEMORY_BYTES: string } & Record<string, string>,
  port?: number,
): System {
  const fixedEnv = { ...env, WEIR_LOG_LEVEL: 'warn' }
  return {
    name: 'weir',
    family: 'weir',
    forwardsEveryUpdate: true,
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
      return new SystemProcess({
        name: 'weir',
        command: join(repoDir, 'scripts/node'),
        args,
        logFile: options.logFile,
        env,
        isReady: () => answersOk(`http://127.0.0.1:${httpPort}/readyz`),
      })
    },
  }
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
