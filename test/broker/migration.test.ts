/**
 * An application changes hands between Kafka Streams and Weir, exactly-once, under load: stopped by one, or killed, and continued by the other with the same
 * id and topics. What both have told together is what Kafka Streams tells that runs through.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { join } from 'node:path'

import { createTopics, lagOf, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { compileJava, javaClassPath } from '../services/java.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { committedOffsets, listTopics, withConsumer } from '../services/kafka-client.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { ServerProcess } from '../services/server-process.ts'
import { inputTopics, MigrationLoad } from '../support/migration-load.ts'
import {
  assertDelivered,
  assertSame,
  changelogRows,
  lastTold,
  type OutputTopic,
  outputTopics,
  type Told,
  toldTo,
} from '../support/migration-results.ts'
import { Random } from '../support/seed.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const module = 'test/support/topologies/migrated.ts'
const outputs = Object.keys(outputTopics) as OutputTopic[]
/** Of the clicks, in each turn. */
const clicksPerTurn = 300

interface Relay {
  /** Of Kafka Streams. */
  readonly cacheBytes: number
  /** How each manages its group. */
  readonly protocols: Readonly<Record<System, string>>
  readonly turns: readonly Turn[]
}

/** All of them at the same time, on the same input. */
const relays: Record<string, Relay> = {
  'from-kafka-streams': {
    cacheBytes: 0,
    protocols: { 'kafka-streams': 'classic', weir: 'classic' },
    turns: [
      { system: 'kafka-streams', end: 'stop' },
      { system: 'weir', end: 'stop' },
      { system: 'kafka-streams', end: 'kill' },
      { system: 'weir', end: 'stop' },
    ],
  },
  'from-weir': {
    cacheBytes: 0,
    protocols: { 'kafka-streams': 'classic', weir: 'consumer' },
    turns: [
      { system: 'weir', end: 'stop' },
      { system: 'kafka-streams', end: 'stop' },
      { system: 'weir', end: 'kill' },
      { system: 'kafka-streams', end: 'stop' },
    ],
  },
  cached: {
    cacheBytes: 10 * 2 ** 20,
    protocols: { 'kafka-streams': 'streams', weir: 'classic' },
    turns: [
      { system: 'kafka-streams', end: 'stop' },
      { system: 'weir', end: 'stop' },
    ],
  },
}

/** Where each update is told though it has a cache: once for each window or pair. */
const toldOnce: readonly OutputTopic[] = ['counted', 'joined']

type System = 'kafka-streams' | 'weir'

interface Turn {
  readonly system: System
  readonly end: 'stop' | 'kill'
}

/** A process that has the application in its hands. */
interface Worker {
  readonly isRunning: () => boolean
  readonly output: () => string
  end(how: Turn['end']): Promise<void>
}

describe('an application changes hands', () => {
  let kafka: KafkaService
  const classDir = makeScratchDir('migration-classes')
  before(async () => {
    ;[kafka] = await Promise.all([
      startKafka({
        // What a killed process leaves behind is over soon.
        properties: {
          'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
          'group.consumer.session.timeout.ms': 4_000,
          'group.consumer.heartbeat.interval.ms': 1_000,
          'group.streams.min.session.timeout.ms': 4_000,
          'group.streams.session.timeout.ms': 4_000,
          'group.streams.min.heartbeat.interval.ms': 1_000,
          'group.streams.heartbeat.interval.ms': 1_000,
        },
      }),
      compileJava(join(import.meta.dirname, '../oracle/migration'), classDir),
    ])
  })
  after(async () => {
    await endAll('kill')
    await kafka.stop()
  })

  const java = (...args: string[]): string[] => [
    '-Xmx256m',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    javaClassPath(classDir),
    'MigratedPeer',
    ...args,
  ]

  const stateDirs = new Map<string, string>()
  /** Each finds what it has left there itself, which is behind what the other has done since. */
  function stateDirOf(id: string, system: System): string {
    const name = `${id}-${system}`
    const dir = stateDirs.get(name) ?? makeScratchDir(name)
    stateDirs.set(name, dir)
    return dir
  }

  async function startKafkaStreams(id: string, { cacheBytes, protocols }: Relay): Promise<Worker> {
    const stateDir = stateDirOf(id, 'kafka-streams')
    const peer = new ServerProcess({
      name: `Kafka Streams, ${id}`,
      command: 'java',
      args: java(
        kafka.bootstrapServers,
        id,
        stateDir,
        `${id}-`,
        String(cacheBytes),
        protocols['kafka-streams'],
      ),
      logFile: join(stateDir, 'log'),
      isReady: (log) => log.includes('running'),
      startTimeoutMs: 90_000,
    })
    await peer.start()
    return {
      isRunning: () => peer.isRunning,
      output: () => readFileSync(join(stateDir, 'log'), 'utf8').slice(-20_000),
      end: async (how) => peer.kill(how === 'stop' ? 'SIGTERM' : 'SIGKILL', 60_000),
    }
  }

  async function startWeir(id: string, { protocols }: Relay): Promise<Worker> {
    const worker = await WeirProcess.start({
      module,
      applicationId: id,
      bootstrapServers: kafka.bootstrapServers,
      stateDir: stateDirOf(id, 'weir'),
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
    await worker.ready(90_000)
    return {
      isRunning: () => !worker.hasEnded,
      output: () => worker.output,
      end: async (how) => {
        if (process.env.MIGRATION_VERBOSE) appendFileSync(`/tmp/mig/${id}.log`, worker.output)
        await (how === 'stop' ? worker.stop() : worker.kill9())
      },
    }
  }

  /** Those that run. */
  const workers = new Set<Worker>()

  async function endAll(how: Turn['end']): Promise<void> {
    const running = [...workers]
    workers.clear()
    await Promise.all(running.map((worker) => worker.end(how)))
  }

  async function start(system: System, id: string, settings: Relay): Promise<Worker> {
    const worker = await (system === 'weir' ? startWeir(id, settings) : startKafkaStreams(id, settings))
    workers.add(worker)
    return worker
  }

  const internalTopics = async (id: string, kind: 'repartition' | 'changelog'): Promise<string[]> =>
    [...(await listTopics(kafka.bootstrapServers)).keys()]
      .filter((topic) => topic.startsWith(`${id}-`))
      // A foreign-key join's two.
      .filter((topic) => topic.endsWith(`-${kind}`) || (kind === 'repartition' && topic.endsWith('-topic')))
      .sort()

  test('both have the same nodes, stores and topics', async () => {
    const [{ stdout: theirs }, ours] = await Promise.all([
      promisify(execFile)('java', java('describe', 'x-')),
      runWeir(['describe', module], { MIGRATION_PREFIX: 'x-' }),
    ])
    assert.equal(ours.stdout, theirs)
  })

  test('a group that has other members is waited for', async () => {
    const { bootstrapServers } = kafka
    const applicationId = 'taken'
    await createTopics(bootstrapServers, { 'taken-input': 1, 'taken-counts': 1 })
    // Members agree on how partitions are shared out: Kafka Streams has its own way, this one another.
    const settings = {
      'group.id': applicationId,
      'partition.assignment.strategy': 'roundrobin',
      rebalance_cb: true,
    }
    await withConsumer(bootstrapServers, settings, async (member) => {
      const joined = new Promise((resolve) => member.once('rebalance', resolve))
      member.subscribe(['taken-input'])
      member.consume()
      await joined
      const env = { COUNT_PREFIX: 'taken-' }
      const stateDir = makeScratchDir('taken')
      const worker = await WeirProcess.start({
        module: 'test/support/topologies/count.ts',
        applicationId,
        bootstrapServers,
        stateDir,
        env,
      })
      await worker.until(() => worker.output.includes('the group has members that are not Weir'), 'joins')
      await new Promise<unknown>((resolve) => member.disconnect(resolve))
      await worker.ready()
      await worker.stop()
    })
  })

  /** How many clicks each application has committed. */
  const committed = new Map<string, number>()

  async function watchCommitted(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const id of committed.keys()) {
        // The coordinator of a group that is new may not be there yet.
        const lag = await lagOf(kafka.bootstrapServers, id, ['clicks']).catch(() => null)
        if (lag !== null) committed.set(id, lag.committed)
      }
      await sleep(100)
    }
  }

  async function turn(id: string, worker: Worker): Promise<void> {
    const target = committed.get(id)! + clicksPerTurn
    while (committed.get(id)! < target) {
      assert.ok(worker.isRunning(), `${id}: the worker ended:\n${worker.output()}`)
      await sleep(50)
    }
  }

  /** Between sub-topologies, at changes of hands. */
  const inFlight: number[] = []

  /** Records of internal topics that are committed, and not processed. */
  async function messagesInFlight(id: string): Promise<number> {
    const ofTopic = async (topic: string): Promise<number> => {
      const [records, offsets] = await Promise.all([
        readToEnd(kafka.bootstrapServers, topic),
        committedOffsets(kafka.bootstrapServers, id, topic),
      ])
      return records.filter(({ partition, offset }) => offset >= (offsets[partition] ?? 0)).length
    }
    const counts = await Promise.all((await internalTopics(id, 'repartition')).map(ofTopic))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** The last worker runs on. */
  const t0 = Date.now()
  const log = (what: string) => process.env.MIGRATION_VERBOSE && console.log(((Date.now() - t0) / 1000).toFixed(1), what)
  async function relay(id: string, turns: readonly Turn[]): Promise<void> {
    for (const { system, end } of turns.slice(0, -1)) {
      const worker = await start(system, id, relays[id]!)
      log(`${id} ${system} started`)
      await turn(id, worker)
      log(`${id} ${system} ${end}`)
      workers.delete(worker)
      await worker.end(end)
      const messages = await messagesInFlight(id)
      inFlight.push(messages)
      log(`${id} ${system} ended ${messages}`)
    }
    await turn(id, await start(turns.at(-1)!.system, id, relays[id]!))
  }

  test('what both have told together is what one tells that runs through', async (t) => {
    const { bootstrapServers } = kafka
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    const ids = ['through', ...Object.keys(relays)]
    for (const id of ids) {
      committed.set(id, 0)
      await createTopics(bootstrapServers, Object.fromEntries(outputs.map((topic) => [`${id}-${topic}`, 1])))
    }
    const load = new MigrationLoad(random, () => Math.min(...committed.values()))
    await using writing = await load.start(bootstrapServers)
    {
      const watching = new AbortController()
      const watched = watchCommitted(watching.signal)
      await Promise.all([
        start('kafka-streams', 'through', relays['from-kafka-streams']!),
        ...Object.entries(relays).map(([id, { turns }]) => relay(id, turns)),
      ]).finally(() => watching.abort())
      await watched
    }
    const consumed = async (): Promise<void> => {
      const everything = async (id: string): Promise<void> => {
        const topics = [...Object.keys(inputTopics), ...(await internalTopics(id, 'repartition'))]
        await waitUntilConsumed(bootstrapServers, id, topics, { timeoutMs: 90_000 })
      }
      await Promise.all(ids.map(everything))
    }
    log('pause')
    await load.pause()
    await consumed()
    log('consumed')
    const changelogs = new Map<string, Told>()
    const rowsOf = async (topic: string): Promise<void> => {
      changelogs.set(topic, await changelogRows(bootstrapServers, topic, load.nowMs))
    }
    for (const id of ids) await Promise.all((await internalTopics(id, 'changelog')).map(rowsOf))
    log('changelogs')
    load.end()
    await writing.done
    await consumed()
    log('consumed')
    await endAll('stop')
    log('stopped')

    const told = new Map<string, Told>()
    const read = async (id: string, topic: OutputTopic): Promise<void> => {
      told.set(`${id}-${topic}`, await toldTo(bootstrapServers, `${id}-`, topic))
    }
    for (const id of ids) await Promise.all(outputs.map((topic) => read(id, topic)))
    log('read')
    for (const [id, { cacheBytes }] of Object.entries(relays)) {
      for (const topic of outputs) {
        await t.test(`${id}: ${topic}`, () => {
          const [actual, expected] = [told.get(`${id}-${topic}`)!, told.get(`through-${topic}`)!]
          // With a cache only the last of several updates may be told; orders that move are told as the moment has it.
          const areLast = topic === 'deliveries' || (cacheBytes > 0 && !toldOnce.includes(topic))
          if (areLast) assertSame(lastTold(actual), lastTold(expected), topic)
          else assertSame(actual, expected, topic)
          if (topic === 'deliveries' && cacheBytes === 0) assertDelivered(actual, load)
        })
      }
      for (const [topic, expected] of changelogs) {
        if (!topic.startsWith('through-')) continue
        const changelog = topic.replace('through', id)
        await t.test(changelog, () => assertSame(changelogs.get(changelog)!, expected, changelog))
      }
    }
  })
})
