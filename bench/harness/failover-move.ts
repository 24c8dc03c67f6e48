import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { startCassandra } from '../../test/services/cassandra.ts'
import { startKafka } from '../../test/services/kafka.ts'
import { createTopic } from '../../test/services/kafka-client.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { Feeder, OutputWatch } from './failover-cluster.ts'
import { fillTable, rowKey } from './failover-rows.ts'
import { type Member, MOVE_MODULE, type MoveSystemName, startMember } from './failover-systems.ts'
import { compilePeers, runJavaHelper } from './java.ts'
import { cassandraEnv, initCassandra, warmUp } from './weir-cassandra.ts'

export interface MoveOptions {
  runs: number
  systems: string[]
  /** Rows of the task. */
  moveKeys: number
  valueBytes: number
  /** Records per second. */
  rate: number
  heartbeatMs: number
  memoryBytes: number
  seed: number
}

/** What one move took; times are ms from the former owner's end. */
export interface Move {
  round: number
  system: string
  /** From a record's sending to its output, before the move, ms. */
  p50Ms: number
  p99Ms: number
  /** From the start of the first process until its task ran. */
  firstStartMs: number
  /** From the signal to the former owner until it had ended. */
  closeMs: number
  firstOutputMs: number
  /** From the last output of the former owner to the first of the next: nothing is put out. */
  standstillMs: number
  /** Until no more than half a second of records waits. */
  caughtUpMs: number
  /** How many records wait, from the former owner's end on. */
  curve: { atMs: number; lag: number }[]
}

const SAMPLE_MS = 100
const SETTLED_MS = 10_000

/**
 * A task with many rows moves to a process that has nothing of it. The rows are written to the changelog, or to Cassandra, before; records come with keys that
 * no record had before, so that none of their rows is in a cache.
 */
export async function failoverMove(
  options: MoveOptions,
  logDir: string,
  log: (line: string) => void,
): Promise<Move[]> {
  const { runs, moveKeys, valueBytes, seed } = options
  const systems = options.systems as MoveSystemName[]
  await compilePeers()
  await using kafka = await startKafka({
    measured: true,
    properties: { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1_000 },
  })
  const { bootstrapServers } = kafka
  await using stack = new AsyncDisposableStack()
  const applications: MovingApplication[] = []
  for (const system of systems) {
    const [input, output] = [`move-${system}-input`, `move-${system}-output`]
    await createTopic(bootstrapServers, input, 1)
    await createTopic(bootstrapServers, output, 1, { 'message.timestamp.type': 'LogAppendTime' })
    const fromMs = performance.now()
    let env: Record<string, string> = {}
    if (system === 'weir') {
      const service = stack.use(await startCassandra())
      await warmUp(service)
      env = cassandraEnv(service)
      await initCassandra(MOVE_MODULE, {
        ...env,
        WEIR_BENCH_INPUT_TOPIC: input,
        WEIR_BENCH_OUTPUT_TOPIC: output,
        WEIR_BENCH_TIERED: 'true',
      })
      await fillTable(service, moveKeys, valueBytes, seed)
    } else {
      const topic = `move-${system}-rows-changelog`
      await createTopic(bootstrapServers, topic, 1, { 'cleanup.policy': 'compact' })
      await runJavaHelper('LoadState', {
        bootstrap: bootstrapServers,
        topic,
        keys: moveKeys,
        valueBytes,
        seed,
      })
    }
    log(`${system}: ${moveKeys} rows are there after ${Math.round((performance.now() - fromMs) / 1_000)} s`)
    applications.push(new MovingApplication(bootstrapServers, system, options, env, logDir))
  }
  const moves: Move[] = []
  for (let round = 1; round <= runs; round++) {
    for (const application of applications) {
      const move = await application.move(round)
      moves.push(move)
      const { curve, ...figures } = move
      log(JSON.stringify({ ...figures, lagMax: Math.max(...curve.map(({ lag }) => lag)) }))
    }
  }
  return moves
}

/** One application of two processes and one task. */
class MovingApplication {
  readonly #bootstrapServers: string
  readonly #system: MoveSystemName
  readonly #options: MoveOptions
  readonly #cassandraEnv: Readonly<Record<string, string>>
  readonly #logDir: string
  readonly #scratch = makeScratchDir('bench')
  /** Records so far: the next one's key is the row of that number. */
  #sent = 0

  constructor(
    bootstrapServers: string,
    system: MoveSystemName,
    options: MoveOptions,
    cassandraEnv: Readonly<Record<string, string>>,
    logDir: string,
  ) {
    this.#bootstrapServers = bootstrapServers
    this.#system = system
    this.#options = options
    this.#cassandraEnv = cassandraEnv
    this.#logDir = logDir
  }

  async move(round: number): Promise<Move> {
    const { rate } = this.#options
    const sentBefore = this.#sent
    await using owner = await this.#start(round, 0)
    const startedMs = performance.now()
    await owner.ready()
    const firstStartMs = Math.round(performance.now() - startedMs)
    let wrong: number | null = null
    await using watch = await OutputWatch.start(
      this.#bootstrapServers,
      `move-${this.#system}-output`,
      1,
      (value) => {
        const count = Number(value.readBigInt64BE())
        if (count !== 2) wrong ??= count
      },
    )
    await using feeder = await Feeder.start(
      this.#bootstrapServers,
      `move-${this.#system}-input`,
      (number) => this.#keyOf(sentBefore + number),
      rate,
    )
    const lag = (): number => sentBefore + feeder.sent - watch.count
    await using successor = await this.#start(round, 1)
    await successor.ready()
    while (lag() > rate / 2) await owned(sleep(SAMPLE_MS), owner, successor)
    const settledFrom = watch.count
    await owned(sleep(SETTLED_MS), owner, successor)
    const latencies = latenciesMs(
      feeder.sentMs.slice(settledFrom - sentBefore),
      watch.timesOf(0).slice(settledFrom),
    )
    assert(!successor.hadTask, 'the second process was given the task')

    const signalledMs = Date.now()
    const endedMs = await owner.stop()
    const curve: Move['curve'] = []
    let hasOutput = false
    const firstOutput = watch.firstAfter(endedMs, [0]).then(([time]) => {
      hasOutput = true
      return time!
    })
    do {
      const sample = Promise.race([sleep(SAMPLE_MS), firstOutput.then(() => sleep(SAMPLE_MS))])
      await owned(sample, successor)
      curve.push({ atMs: Date.now() - endedMs, lag: lag() })
    } while (!hasOutput || lag() > rate / 2)
    const first = await firstOutput
    await feeder[Symbol.asyncDispose]()
    while (lag() > 0) await owned(sleep(SAMPLE_MS), successor)
    await successor.stop()
    this.#sent += feeder.sent
    assert.equal(watch.count, this.#sent, 'there is not one output for each record')
    assert.equal(wrong, null, `a row that had been counted once was counted as ${wrong}`)
    return {
      round,
      system: this.#system,
      p50Ms: latencies[Math.floor(latencies.length * 0.5)]!,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
      firstStartMs,
      closeMs: endedMs - signalledMs,
      firstOutputMs: first - endedMs,
      standstillMs: first - watch.lastUntil(endedMs),
      caughtUpMs: curve.at(-1)!.atMs,
      curve,
    }
  }

  #keyOf(number: number): string {
    const { moveKeys } = this.#options
    assert(number < moveKeys, 'more records than rows')
    // A prime far from any power of ten: the keys come from everywhere.
    return rowKey((number * 1_299_709) % moveKeys)
  }

  #start(round: number, index: number): Promise<Member> {
    const name = `${this.#system}-${round}-${index}`
    return startMember(this.#system, {
      bootstrapServers: this.#bootstrapServers,
      applicationId: `move-${this.#system}`,
      clientId: `member-${index}`,
      input: `move-${this.#system}-input`,
      output: `move-${this.#system}-output`,
      heartbeatMs: this.#options.heartbeatMs,
      memoryBytes: this.#options.memoryBytes,
      stateDir: join(this.#scratch, name),
      logFile: join(this.#logDir, `move-${name}.log`),
      cassandraEnv: this.#cassandraEnv,
    })
  }
}

async function owned<Value>(value: Promise<Value>, ...members: readonly Member[]): Promise<Value> {
  return await Promise.race([value, ...members.map((member) => member.failure())])
}

/** Of records and outputs in the order of their one partition, the shortest first. */
function latenciesMs(sentMs: readonly number[], arrivedMs: readonly number[]): number[] {
  return arrivedMs.map((time, index) => time - sentMs[index]!).toSorted((a, b) => a - b)
}
