import { join } from 'node:path'
import { freePorts } from '../../test/services/ports.ts'
import { peerClassPath, toArguments } from './java.ts'
import { repoDir } from './paths.ts'
import { SystemProcess } from './system.ts'

/** One run of the workload `restore`, the same for every system. */
export interface RestoreOptions {
  bootstrapServers: string
  applicationId: string
  inputTopic: string
  partitions: number
  keys: number
  /** Rounds of reads of each task. */
  rounds: number
  readsPerRound: number
  memoryBytes: number
  /** An empty folder. */
  stateDir: string
  /** Takes what the process prints, besides its events. */
  logFile: string
}

export interface RestoreSystem {
  name: string
  describe(memoryBytes: number): Record<string, unknown>
  start(options: RestoreOptions): Promise<SystemProcess>
}

const jvmFlags = ['-server', '-Xms1g', '-Xmx2g', '-XX:+UseParallelGC']

const kafkaStreams: RestoreSystem = {
  name: 'kafka-streams',
  describe: () => ({ jvmFlags, settings: 'bench/peers/kafka-streams/RestorePeer.java' }),
  async start(options) {
    const args = toArguments({
      bootstrap: options.bootstrapServers,
      applicationId: options.applicationId,
      input: options.inputTopic,
      partitions: options.partitions,
      keys: options.keys,
      rounds: options.rounds,
      readsPerRound: options.readsPerRound,
      stateDir: options.stateDir,
    })
    const jvm = [...jvmFlags, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', peerClassPath()]
    return new SystemProcess({
      name: 'kafka-streams',
      command: 'java',
      args: [...jvm, 'weir.bench.RestorePeer', ...args],
      logFile: options.logFile,
    })
  },
}

const fixedEnv = {
  // One, as in Kafka Streams; the restore threads are Weir's default.
  WEIR_NUM_STREAM_THREADS: '1',
  // Reads are RocksDB's, not the cache's.
  WEIR_STATESTORE_CACHE_MAX_BYTES: String(2 ** 20),
}

const weir: RestoreSystem = {
  name: 'weir',
  describe: (memoryBytes) => ({
    module: 'bench/pipeline/restore.ts',
    env: { ...fixedEnv, WEIR_MEMORY_BYTES: String(memoryBytes) },
  }),
  async start(options) {
    const [httpPort = 0] = await freePorts(1)
    return new SystemProcess({
      name: 'weir',
      command: join(repoDir, 'scripts/node'),
      args: [join(repoDir, 'src/cli/main.ts'), 'run', join(repoDir, 'bench/pipeline/restore.ts')],
      logFile: options.logFile,
      env: {
        ...fixedEnv,
        WEIR_MEMORY_BYTES: String(options.memoryBytes),
        WEIR_APPLICATION_ID: options.applicationId,
        WEIR_BOOTSTRAP_SERVERS: options.bootstrapServers,
        WEIR_HTTP_PORT: String(httpPort),
        WEIR_STATE_DIR: options.stateDir,
        WEIR_BENCH_INPUT_TOPIC: options.inputTopic,
        WEIR_BENCH_PARTITIONS: String(options.partitions),
        WEIR_BENCH_KEYS: String(options.keys),
        WEIR_BENCH_ROUNDS: String(options.rounds),
        WEIR_BENCH_READS_PER_ROUND: String(options.readsPerRound),
      },
      eventOf: assigned,
    })
  },
}

/** Weir restores when it has its partitions; its log says when that was. */
function assigned(line: string): { event: string; atMs: number } | null {
  if (!line.includes('"partitions assigned"')) return null
  const { time } = JSON.parse(line) as { time: number | string }
  return { event: 'restoring', atMs: new Date(time).getTime() }
}

/** In the order in which they run in each round. */
export const restoreSystems: readonly RestoreSystem[] = [kafkaStreams, weir]
