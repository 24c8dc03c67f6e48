import { freePorts } from '../../test/services/ports.ts'
import { Worker } from './failover-cluster.ts'
import { javaProperties, peerClassPath, toArguments } from './java.ts'
import { SystemProcess } from './system.ts'

export const moveSystemNames = ['kafka-streams', 'weir-plain', 'weir'] as const
export type MoveSystemName = (typeof moveSystemNames)[number]

/** A process of the group. It dies with its scope. */
export interface Member extends AsyncDisposable {
  /** Waits until all its tasks run, none perhaps. */
  ready(): Promise<void>
  /** Ends it in order. @returns when it had ended, ms since 1970 */
  stop(): Promise<number>
  /** Whether it was ever given a task. */
  readonly hadTask: boolean
  /** Rejects when it ends unasked. */
  failure(): Promise<never>
}

export interface MemberOptions {
  readonly bootstrapServers: string
  readonly applicationId: string
  /** Weir's assignor gives the only partition to the member whose name is the first. */
  readonly clientId: string
  readonly input: string
  readonly output: string
  readonly heartbeatMs: number
  readonly memoryBytes: number
  /** An empty folder. */
  readonly stateDir: string
  readonly logFile: string
  /** For Weir. */
  readonly cassandraEnv: Readonly<Record<string, string>>
}

export const MOVE_MODULE = 'bench/pipeline/move.ts'

export async function startMember(system: MoveSystemName, options: MemberOptions): Promise<Member> {
  return system === 'kafka-streams' ? new KafkaStreamsMember(options) : await startWeir(system, options)
}

async function startWeir(system: MoveSystemName, options: MemberOptions): Promise<Member> {
  const { bootstrapServers, applicationId, stateDir, heartbeatMs, memoryBytes, cassandraEnv } = options
  const [port = 0] = await freePorts(1)
  const worker = new Worker(
    MOVE_MODULE,
    {
      ...cassandraEnv,
      WEIR_APPLICATION_ID: applicationId,
      WEIR_CLIENT_ID: options.clientId,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_STATE_DIR: stateDir,
      WEIR_NUM_STREAM_THREADS: '1',
      WEIR_COMMIT_INTERVAL_MS: '1000',
      WEIR_MEMORY_BYTES: String(memoryBytes),
      WEIR_CONSUMER_HEARTBEAT_INTERVAL_MS: String(heartbeatMs),
      WEIR_BENCH_INPUT_TOPIC: options.input,
      WEIR_BENCH_OUTPUT_TOPIC: options.output,
      WEIR_BENCH_TIERED: String(system === 'weir'),
    },
    port,
    options.logFile,
  )
  return {
    ready: () => worker.ready(),
    stop: () => worker.stop(),
    get hadTask() {
      return worker.partitions.length > 0
    },
    failure: () => worker.failure(),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}

const jvmFlags = ['-server', '-Xms512m', '-Xmx1g', '-XX:+UseParallelGC']

class KafkaStreamsMember implements Member {
  readonly #process: SystemProcess
  #hadTask = false

  constructor(options: MemberOptions) {
    const args = toArguments({
      bootstrap: options.bootstrapServers,
      applicationId: options.applicationId,
      input: options.input,
      output: options.output,
      records: 1,
      threads: 1,
      commitIntervalMs: 1_000,
      guarantee: 'at_least_once',
      cacheBytes: 0,
      stateDir: options.stateDir,
      heartbeatMs: options.heartbeatMs,
    })
    const memory = [
      `-Dbench.blockCacheBytes=${options.memoryBytes}`,
      `-Dbench.writeBufferBytes=${options.memoryBytes / 4}`,
    ]
    this.#process = new SystemProcess({
      name: 'kafka-streams',
      command: 'java',
      args: [
        ...jvmFlags,
        ...javaProperties,
        ...memory,
        '-cp',
        peerClassPath(),
        'weir.bench.LargeStatePeer',
        ...args,
      ],
      logFile: options.logFile,
    })
    void this.#process.event('restoring').then(() => {
      this.#hadTask = true
    })
  }

  get hadTask(): boolean {
    return this.#hadTask
  }

  async ready(): Promise<void> {
    await Promise.race([this.#process.ready(), this.#process.failure()])
  }

  async stop(): Promise<number> {
    await this.#process.stop()
    return Date.now()
  }

  failure(): Promise<never> {
    return this.#process.failure()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}
