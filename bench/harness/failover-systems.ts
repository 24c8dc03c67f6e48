import { freePorts } from '../../test/services/ports.ts'
import { Worker } from './failover-cluster.ts'
import { kafkaStreams } from './kafka-streams.ts'
import type { SystemProcess } from './system.ts'

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
  return system === 'kafka-streams' ? await startKafkaStreams(options) : await startWeir(system, options)
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

async function startKafkaStreams(options: MemberOptions): Promise<Member> {
  const { bootstrapServers, applicationId, stateDir, logFile, heartbeatMs, memoryBytes } = options
  const system = kafkaStreams({
    peer: 'LargeStatePeer',
    hasCache: false,
    args: { heartbeatMs },
    blockCacheBytes: memoryBytes,
    writeBufferBytes: memoryBytes / 4,
  })
  const process = await system.start({
    bootstrapServers,
    applicationId,
    stateDir,
    logFile,
    topics: { input: options.input, output: options.output },
    records: 1,
    threads: 1,
    commitIntervalMs: 1_000,
    processingGuarantee: 'at_least_once',
    stateCacheBytes: 0,
  })
  return new KafkaStreamsMember(process)
}

class KafkaStreamsMember implements Member {
  readonly #process: SystemProcess
  #hadTask = false

  constructor(process: SystemProcess) {
    this.#process = process
    void process.event('restoring').then(() => {
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
