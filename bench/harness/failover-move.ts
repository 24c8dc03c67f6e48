import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import cassandra from 'cassandra-driver'

import { type CassandraService, startCassandra } from '../../test/services/cassandra.ts'
import { startKafka } from '../../test/services/kafka.ts'
import { createTopic } from '../../test/services/kafka-client.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { Feeder, OutputWatch } from './failover-cluster.ts'
import { type Member, MOVE_MODULE, type MoveSystemName, startMember } from './failover-systems.ts'
import { compilePeers, runJavaHelper } from './java.ts'
import { cassandraEnv, initCassandra, KEYSPACE, warmUp } from './weir-cassandra.ts'

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
const SETTLED_MS = 5_000
const CAUGHT_UP_MAX_MS = 600_000

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
  const applications = new Map<MoveSystemName, MovingApplication>()
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
    applications.set(system, new MovingApplication(bootstrapServers, system, options, env, logDir))
  }
  const moves: Move[] = []
  for (let round = 1; round <= runs; round++) {
    for (const [system, application] of applications) {
      const move = await application.move(round)
      moves.push(move)
      const { curve, ...figures } = move
      log(JSON.stringify({ ...figures, lagMax: Math.max(...curve.map(({ lag }) => lag)) }))
      assert(system === move.system)
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
    const settledMs = Date.now() + SETTLED_MS
    while (Date.now() < settledMs || lag() > rate / 2) await owned(sleep(SAMPLE_MS), owner, successor)
    assert(!successor.hadTask, 'the second process was given the task')

    const signalledMs = Date.now()
    const endedMs = await owner.stop()
    const curve: Move['curve'] = []
    const firstOutput = watch.firstAfter(endedMs, [0])
    let caughtUpMs: number | null = null
    for (let first: number | null = null; caughtUpMs === null; await owned(sleep(SAMPLE_MS), successor)) {
      first = await Promise.race([firstOutput.then(([time]) => time!), sleep(0, null)])
      const atMs = Date.now() - endedMs
      curve.push({ atMs, lag: lag() })
      if (first !== null && lag() <= rate / 2) caughtUpMs = atMs
      assert(atMs < CAUGHT_UP_MAX_MS, `not caught up after ${CAUGHT_UP_MAX_MS} ms`)
    }
    const first = (await firstOutput)[0]!
    await feeder[Symbol.asyncDispose]()
    while (lag() > 0) await owned(sleep(SAMPLE_MS), successor)
    await successor.stop()
    this.#sent += feeder.sent
    assert.equal(watch.count, this.#sent, 'there is not one output for each record')
    assert.equal(wrong, null, `a row that had been counted once was counted as ${wrong}`)
    return {
      round,
      system: this.#system,
      firstStartMs,
      closeMs: endedMs - signalledMs,
      firstOutputMs: first - endedMs,
      standstillMs: first - watch.lastUntil(endedMs),
      caughtUpMs,
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

function rowKey(number: number): string {
  return `user-${String(number).padStart(10, '0')}`
}

const BATCH_ROWS = 50
const BATCHES_IN_FLIGHT = 16

/** Writes rows as LoadState does. Their timestamps are below those of any task. */
async function fillTable(
  { host, port, localDataCenter }: CassandraService,
  rows: number,
  valueBytes: number,
  seed: number,
): Promise<void> {
  const client = new cassandra.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter,
    keyspace: KEYSPACE,
  })
  try {
    const insert = 'INSERT INTO rows (key, value, ts) VALUES (?, ?, 0) USING TIMESTAMP 1'
    let next = 0
    const write = async (): Promise<void> => {
      while (next < rows) {
        const from = next
        next = Math.min(rows, from + BATCH_ROWS)
        const statements = Array.from({ length: next - from }, (_, index) => ({
          query: insert,
          params: [Buffer.from(rowKey(from + index)), rowValue(from + index, valueBytes, seed)],
        }))
        await client.batch(statements, { prepare: true, logged: false })
      }
    }
    await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, write))
  } finally {
    await client.shutdown()
  }
}

function rowValue(number: number, valueBytes: number, seed: number): Buffer {
  const row = Buffer.alloc(8 + valueBytes)
  row.writeBigInt64BE(1n)
  const block = createHash('sha512').update(`${seed}/${number}`).digest()
  for (let at = 8; at < row.length; at += block.length) row.set(block.subarray(0, row.length - at), at)
  return row
}
