import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { startKafka } from '../../test/services/kafka.ts'
import { createTopic } from '../../test/services/kafka-client.ts'
import { freePorts } from '../../test/services/ports.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { Feeder, OutputWatch, Worker } from './failover-cluster.ts'
import { readProcessUsage } from './process-sampler.ts'
import { type RunResult, round } from './results.ts'

export interface EndsOptions {
  runs: number
  keys: number
  records: number
  rate: number
  partitions: number
  heartbeatMs: number
  sessionMs: number
  memoryBytes: number
}

/** What one round took, ms. */
export interface Round {
  round: number
  /** A static member is killed and started again: from its start to the first output, and to the first of each of its partitions. */
  staticRestart: { firstOutputMs: number; allOutputsMs: number; phases: Record<string, number | null> }
  /** A dynamic member is stopped: from its end to the first output of each of its partitions, elsewhere. */
  dynamicStop: { allOutputsMs: number; restoreMs: number; takenOverMs: number }
  /** The same of a static member, which is missed when its session times out. */
  staticStop: { allOutputsMs: number; afterSessionMs: number }
}

/** How long partitions stand still when a process ends, or comes back. */
export async function failoverEnds(
  options: EndsOptions,
  logDir: string,
  log: (line: string) => void,
): Promise<{ rounds: Round[]; runs: RunResult[] }> {
  const rounds: Round[] = []
  const runs: RunResult[] = []
  for (let number = 1; number <= options.runs; number++) {
    await using kafka = await startKafka({
      measured: true,
      // Joins of a new group are not waited for: it is the old group that is measured.
      properties: { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1_000 },
    })
    const brokerUsage = () => readProcessUsage(kafka.pid)!.cpuSeconds
    const brokerBefore = brokerUsage()
    const scenario = new Scenario(kafka.bootstrapServers, options, number, logDir)
    const { run, ...staticRestart } = await scenario.staticRestart()
    runs.push({ ...run, brokerCpuSeconds: round(brokerUsage() - brokerBefore, 2) })
    const dynamicStop = await scenario.dynamicStop()
    const staticStop = await scenario.staticStop()
    const one = { round: number, staticRestart, dynamicStop, staticStop }
    rounds.push(one)
    log(JSON.stringify(one))
  }
  return { rounds, runs }
}

/** An application of two processes that counts, and what happens to it. */
class Scenario {
  readonly #bootstrapServers: string
  readonly #options: EndsOptions
  readonly #round: number
  readonly #logDir: string
  readonly #scratch = makeScratchDir('bench')

  constructor(bootstrapServers: string, options: EndsOptions, round: number, logDir: string) {
    this.#bootstrapServers = bootstrapServers
    this.#options = options
    this.#round = round
    this.#logDir = logDir
  }

  async staticRestart() {
    await using application = await this.#begin('static-restart', 45_000, true)
    const { watch, start, workers } = application
    await workers[1][Symbol.asyncDispose]()
    const second = await start(1)
    const { startedMs } = second
    try {
      // What the killed process wrote has arrived by then: the new one has not even begun.
      const firsts = await watch.firstAfter(startedMs, application.owned)
      await second.ready()
      const sampledMs = 5_000
      const before = readProcessUsage(second.pid)!
      const fromMs = Date.now()
      await sleep(sampledMs)
      const after = readProcessUsage(second.pid)!
      const outputs = watch.since(fromMs) * (application.owned.length / this.#options.partitions)
      const phase = (message: string): number | null => {
        const atMs = second.lastMs(message)
        return atMs === null ? null : atMs - startedMs
      }
      return {
        firstOutputMs: Math.min(...firsts) - startedMs,
        allOutputsMs: Math.max(...firsts) - startedMs,
        phases: {
          started: phase('serving /metrics, /healthz and /readyz'),
          topicsKnown: phase('memory is divided'),
          joined: phase('partitions assigned'),
          handedOut: phase('tasks handed out'),
          restored: phase('a store is restored'),
          running: phase('application running'),
        },
        run: {
          variant: 'default',
          system: 'weir',
          round: this.#round,
          recordsPerSecond: round((outputs * 1_000) / sampledMs),
          recordsPerCpuSecond: round(outputs / Math.max(0.01, after.cpuSeconds - before.cpuSeconds)),
          brokerCpuSeconds: 0,
          peakRssBytes: after.peakRssBytes,
          diskBytesWritten: after.diskBytesWritten,
          outputsPerInput: 1,
          p50Ms: null,
          p99Ms: null,
          p999Ms: null,
          firstRecordMs: Math.min(...firsts) - startedMs,
        } satisfies RunResult,
      }
    } finally {
      await second[Symbol.asyncDispose]()
    }
  }

  async dynamicStop(): Promise<Round['dynamicStop']> {
    await using application = await this.#begin('dynamic-stop', 45_000, false)
    const { watch, workers, owned } = application
    workers[0].forget()
    const endedMs = await workers[1].stop()
    const firsts = await watch.firstAfter(endedMs, owned)
    const allOutputsMs = Math.max(...firsts) - endedMs
    const [from, to] = [workers[0].firstMs('restoring a store'), workers[0].lastMs('a store is restored')]
    const restoreMs = from === null || to === null ? 0 : to - from
    return { allOutputsMs, restoreMs, takenOverMs: allOutputsMs - restoreMs }
  }

  async staticStop(): Promise<Round['staticStop']> {
    const { sessionMs } = this.#options
    await using application = await this.#begin('static-stop', sessionMs, true)
    const { watch, workers, owned } = application
    const endedMs = await workers[1].stop()
    const firsts = await watch.firstAfter(endedMs, owned)
    const allOutputsMs = Math.max(...firsts) - endedMs
    return { allOutputsMs, afterSessionMs: allOutputsMs - sessionMs }
  }

  /** Two processes that have counted what there was, and are fed steadily. */
  async #begin(name: string, sessionMs: number, isStatic: boolean) {
    const { keys, records, rate, partitions, heartbeatMs, memoryBytes } = this.#options
    const bootstrapServers = this.#bootstrapServers
    const [input, output] = [`${name}-input`, `${name}-output`]
    await createTopic(bootstrapServers, input, partitions)
    await createTopic(bootstrapServers, output, partitions, { 'message.timestamp.type': 'LogAppendTime' })
    const stack = new AsyncDisposableStack()
    const watch = stack.use(await OutputWatch.start(bootstrapServers, output, partitions))
    const keyOf = (number: number): string => `key-${(number * 7_919) % keys}`
    const ports = await freePorts(2)
    const start = async (index: number): Promise<Worker> =>
      new Worker(
        'bench/pipeline/count.ts',
        {
          WEIR_APPLICATION_ID: name,
          WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
          WEIR_STATE_DIR: join(this.#scratch, `${name}-${this.#round}-${index}`),
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '1000',
          WEIR_MEMORY_BYTES: String(memoryBytes),
          WEIR_SESSION_TIMEOUT_MS: String(sessionMs),
          WEIR_CONSUMER_HEARTBEAT_INTERVAL_MS: String(heartbeatMs),
          ...(isStatic && { WEIR_GROUP_INSTANCE_ID: `worker-${index}` }),
          WEIR_BENCH_INPUT_TOPIC: input,
          WEIR_BENCH_OUTPUT_TOPIC: output,
          // As the image sets it.
          NODE_COMPILE_CACHE: join(this.#scratch, 'compile-cache'),
        },
        ports[index]!,
        join(this.#logDir, `${name}-${this.#round}-${index}.log`),
      )
    const workers = [stack.use(await start(0)), stack.use(await start(1))] as const
    await workers[0].ready()
    await workers[1].until(
      () =>
        workers[0].partitions.length === partitions / 2 && workers[1].partitions.length === partitions / 2,
    )
    {
      await using filling = await Feeder.start(bootstrapServers, input, keyOf, 100_000)
      while (filling.sent < records) await sleep(50)
    }
    while (watch.count < records) await sleep(50)
    stack.use(await Feeder.start(bootstrapServers, input, keyOf, rate))
    // Longer than a commit interval: all of it is ordinary work by then.
    await sleep(3_000)
    return {
      workers,
      watch,
      start,
      /** Partitions of the second process. */
      owned: workers[1].partitions,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  }
}
