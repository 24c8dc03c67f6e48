import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { javaClassPath } from '../services/java.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { jvmEnvironment, ServerProcess } from '../services/server-process.ts'
import { WeirProcess } from './weir-process.ts'

/** The topology module of Weir's side. */
export const module = 'test/support/topologies/migrated.ts'

export type System = 'kafka-streams' | 'weir'

/** SIGTERM, or SIGKILL. */
export type End = 'stop' | 'kill'

/** How an application of test/support/topologies/migrated.ts runs. */
export interface HandsOptions {
  /** Of Kafka Streams. */
  readonly cacheBytes: number
  /** How each manages its group. */
  readonly protocols: Readonly<Record<System, string>>
}

/** A process that has an application in its hands. */
export interface Worker {
  readonly isRunning: () => boolean
  /** What it has printed, at its end. */
  readonly output: () => string
  end(how: End): Promise<void>
}

/** Both systems, on one broker: each keeps its state folder, and finds there what the other's turns have made old. */
export class Hands {
  readonly #bootstrapServers: string
  /** Of the compiled test/oracle/migration. */
  readonly #classDir: string
  readonly #stateDirs = new Map<string, string>()
  readonly #running = new Set<Worker>()

  constructor(bootstrapServers: string, classDir: string) {
    this.#bootstrapServers = bootstrapServers
    this.#classDir = classDir
  }

  /** @returns when it runs; it writes to `<id>-<output>` */
  async start(system: System, id: string, options: HandsOptions): Promise<Worker> {
    const worker = await (system === 'weir' ? this.#weir(id, options) : this.#kafkaStreams(id, options))
    const tracked = {
      ...worker,
      end: (how: End) => {
        this.#running.delete(tracked)
        return worker.end(how)
      },
    }
    this.#running.add(tracked)
    return tracked
  }

  async endAll(how: End): Promise<void> {
    await Promise.all([...this.#running].map((worker) => worker.end(how)))
  }

  /** The topology as Kafka Streams describes it. */
  async describe(prefix: string): Promise<string> {
    const options = { env: jvmEnvironment() }
    const { stdout } = await promisify(execFile)('java', this.#java('describe', prefix), options)
    return stdout
  }

  #java(...args: string[]): string[] {
    return [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      javaClassPath(this.#classDir),
      'MigratedPeer',
      ...args,
    ]
  }

  async #kafkaStreams(id: string, { cacheBytes, protocols }: HandsOptions): Promise<Worker> {
    const stateDir = this.#stateDir(id, 'kafka-streams')
    const logFile = join(stateDir, 'log')
    // Under the consumer protocol Weir does not wait until the group is empty.
    const leaving = protocols.weir === 'consumer' ? 'leave' : 'stay'
    const settings = [stateDir, `${id}-`, String(cacheBytes), protocols['kafka-streams'], leaving]
    const peer = new ServerProcess({
      name: `Kafka Streams, ${id}`,
      command: 'java',
      args: this.#java(this.#bootstrapServers, id, ...settings),
      logFile,
      isReady: (log) => log.includes('running'),
      startTimeoutMs: 120_000,
    })
    await peer.start()
    return {
      isRunning: () => peer.isRunning,
      output: () => readFileSync(logFile, 'utf8').slice(-20_000),
      end: (how) => peer.kill(how === 'stop' ? 'SIGTERM' : 'SIGKILL', 60_000),
    }
  }

  async #weir(id: string, { protocols }: HandsOptions): Promise<Worker> {
    const worker = await WeirProcess.start({
      module,
      applicationId: id,
      bootstrapServers: this.#bootstrapServers,
      stateDir: this.#stateDir(id, 'weir'),
      env: {
        MIGRATION_PREFIX: `${id}-`,
        WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_MAX_TASK_IDLE_MS: '2000',
        WEIR_TRANSACTION_TIMEOUT_MS: '4000',
        WEIR_GROUP_PROTOCOL: protocols.weir,
        ...(protocols.weir === 'classic' && { WEIR_SESSION_TIMEOUT_MS: '4000' }),
      },
    })
    await worker.ready(120_000)
    return {
      isRunning: () => !worker.hasEnded,
      output: () => worker.output,
      end: (how) => (how === 'stop' ? worker.stop() : worker.kill9()),
    }
  }

  #stateDir(id: string, system: System): string {
    const name = `${id}-${system}`
    const dir = this.#stateDirs.get(name) ?? makeScratchDir(name)
    this.#stateDirs.set(name, dir)
    return dir
  }
}
