import { join } from 'node:path'
import { freePorts } from '../../test/services/ports.ts'
import { repoDir } from './paths.ts'
import { type System, type SystemOptions, SystemProcess } from './system.ts'

/** Weir running a topology module of bench/pipeline/. `memoryBytes` is what the whole process may use. */
export function weir(module: string, memoryBytes: number): System {
  const fixedEnv = {
    WEIR_MEMORY_BYTES: String(memoryBytes),
    WEIR_LOG_LEVEL: 'warn',
  }
  return {
    name: 'weir',
    family: 'weir',
    forwardsEveryUpdate: true,
    describe: () => ({ module, env: fixedEnv }),
    async start(options: SystemOptions) {
      const [httpPort = 0] = await freePorts(1)
      const env = {
        ...fixedEnv,
        WEIR_APPLICATION_ID: options.applicationId,
        WEIR_BOOTSTRAP_SERVERS: options.bootstrapServers,
        WEIR_NUM_STREAM_THREADS: String(options.threads),
        WEIR_COMMIT_INTERVAL_MS: String(options.commitIntervalMs),
        WEIR_STATESTORE_CACHE_MAX_BYTES: String(options.stateCacheBytes),
        WEIR_HTTP_PORT: String(httpPort),
        WEIR_STATE_DIR: options.stateDir,
        WEIR_BENCH_INPUT_TOPIC: options.inputTopic,
        WEIR_BENCH_OUTPUT_TOPIC: options.outputTopic,
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
