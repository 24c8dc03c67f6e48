/**
 * An application changes hands between Kafka Streams and Weir, exactly-once, under load: stopped by one, or killed, and continued by the other with the same
 * id and topics. What both have told together is what Kafka Streams tells that runs through.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { compileJava } from '../services/java.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { committedOffsets, listTopics, withConsumer } from '../services/kafka-client.ts'
import { describeTopics } from '../services/kafka-tools.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type End, Hands, type HandsOptions, module, type System } from '../support/migration-hands.ts'
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
import { TopicReader } from '../support/topic-reader.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const outputs = Object.keys(outputTopics) as OutputTopic[]
/** Where each update is told though the stores have a cache: once for each window or pair. */
const toldOnce: readonly OutputTopic[] = ['counted', 'joined']
/** How many are committed in each turn, at least. */
const clicksPerTurn = 200

interface Relay extends HandsOptions {
  readonly turns: readonly (readonly [System, End])[]
}

/** By application id; all at the same time, on the same input. */
const relays: Readonly<Record<string, Relay>> = {
  'from-kafka-streams': {
    cacheBytes: 0,
    protocols: { 'kafka-streams': 'classic', weir: 'classic' },
    turns: [
      ['kafka-streams', 'stop'],
      ['weir', 'stop'],
      ['kafka-streams', 'kill'],
      ['weir', 'stop'],
    ],
  },
  'from-weir': {
    cacheBytes: 0,
    protocols: { 'kafka-streams': 'classic', weir: 'consumer' },
    turns: [
      ['weir', 'stop'],
      ['kafka-streams', 'stop'],
      ['weir', 'kill'],
      ['kafka-streams', 'stop'],
    ],
  },
  'from-cached': {
    cacheBytes: 10 * 2 ** 20,
    protocols: { 'kafka-streams': 'streams', weir: 'classic' },
    turns: [
      ['kafka-streams', 'stop'],
      ['weir', 'stop'],
    ],
  },
}

describe('an application changes hands', { concurrency: 3 }, () => {
  let kafka: KafkaService
  let hands: Hands
  before(async () => {
    const classDir = makeScratchDir('migration-classes')
    ;[kafka] = await Promise.all([
      startKafka({
        // What a killed process leaves behind is over soon.
        properties: {
          'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
          // To the broker, Kafka Streams' members cannot become others; this keeps a plain consumer from it.
          'group.consumer.migration.policy': 'disabled',
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
    hands = new Hands(kafka.bootstrapServers, classDir)
  })
  after(async () => {
    await hands.endAll('kill')
    await kafka.stop()
  })

  test('both have the same nodes, stores and topics', async () => {
    const ours = await runWeir(['describe', module], { MIGRATION_PREFIX: 'x-' })
    assert.equal(ours.stdout, await hands.describe('x-'))
  })

  /** Runs `work` while a member of the group has its own way to share out partitions, as Kafka Streams has; `leave` takes it away. */
  async function whileTaken(
    id: string,
    work: (leave: () => Promise<unknown>) => Promise<void>,
  ): Promise<void> {
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, { [`${id}-input`]: 1, [`${id}-counts`]: 1 })
    const strategy = { 'partition.assignment.strategy': 'roundrobin', rebalance_cb: true }
    await withConsumer(bootstrapServers, { 'group.id': id, ...strategy }, async (member) => {
      const joined = new Promise((resolve) => member.once('rebalance', resolve))
      member.subscribe([`${id}-input`])
      member.consume()
      await joined
      await work(() => new Promise<unknown>((resolve) => member.disconnect(resolve)))
    })
  }

  const startCount = (id: string, env: Record<string, string> = {}): Promise<WeirProcess> =>
    WeirProcess.start({
      module: 'test/support/topologies/count.ts',
      applicationId: id,
      bootstrapServers: kafka.bootstrapServers,
      stateDir: makeScratchDir(id),
      env: { COUNT_PREFIX: `${id}-`, ...env },
    })

  test('a group that has other members is waited for', async () => {
    await whileTaken('taken', async (leave) => {
      await using worker = await startCount('taken')
      await worker.until(() => worker.output.includes('the group has members that are not Weir'), 'joins')
      await leave()
      await worker.ready()
      await worker.stop()
    })
  })

  test('and under the consumer protocol it is refused', async () => {
    await whileTaken('refused', async () => {
      await using worker = await startCount('refused', { WEIR_GROUP_PROTOCOL: 'consumer' })
      const { code, stderr } = await worker.exited
      assert.equal(code, 1)
      assert.match(stderr, /^weir: the group refused has members that are not Weir; start again when they/)
    })
  })

  /** How many clicks each application has committed. */
  const committed = new Map<string, number>()

  async function watchCommitted(signal: AbortSignal): Promise<void> {
    await using readers = new AsyncDisposableStack()
    const watched: [id: string, TopicReader][] = []
    for (const id of committed.keys())
      watched.push([id, readers.use(await TopicReader.open(kafka.bootstrapServers, id))])
    while (!signal.aborted) {
      for (const [id, reader] of watched) {
        // The coordinator of a group that is new may not be there yet.
        const offsets = await reader.committed('clicks', inputTopics.clicks).catch(() => null)
        if (offsets !== null) committed.set(id, offsets[0]! + offsets[1]!)
      }
      await sleep(100)
    }
  }

  async function internalTopics(id: string, kind: 'repartition' | 'changelog'): Promise<string[]> {
    const topics = [...(await listTopics(kafka.bootstrapServers)).keys()]
    // A foreign-key join's two end with neither.
    const ends = kind === 'changelog' ? ['-changelog'] : ['-repartition', '-topic']
    return topics.filter((topic) => topic.startsWith(`${id}-`) && ends.some((end) => topic.endsWith(end)))
  }

  /** Records between sub-topologies that are committed, and not processed. */
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

  /** The last worker runs on. @returns the messages in flight at each change of hands */
  async function relay(id: string, options: Relay): Promise<number[]> {
    const inFlight: number[] = []
    for (const [index, [system, end]] of options.turns.entries()) {
      const worker = await hands.start(system, id, options)
      const target = committed.get(id)! + clicksPerTurn
      while (committed.get(id)! < target) {
        assert.ok(worker.isRunning(), `${id}: the worker ended:\n${worker.output()}`)
        await sleep(50)
      }
      if (index === options.turns.length - 1) break
      await worker.end(end)
      inFlight.push(await messagesInFlight(id))
    }
    return inFlight
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
    const watching = new AbortController()
    const watched = watchCommitted(watching.signal)
    const [, ...inFlight] = await Promise.all([
      hands.start('kafka-streams', 'through', relays['from-kafka-streams']!),
      ...Object.entries(relays).map(([id, options]) => relay(id, options)),
    ]).finally(() => watching.abort())
    await watched
    t.diagnostic(`messages in flight when it changed hands: ${inFlight.flat().join(', ')}`)
    assert.ok(inFlight.flat().some((messages) => messages > 0))

    const consumed = async (): Promise<void> => {
      const everything = async (id: string): Promise<void> => {
        const topics = [...Object.keys(inputTopics), ...(await internalTopics(id, 'repartition'))]
        await waitUntilConsumed(bootstrapServers, id, topics, { timeoutMs: 120_000 })
      }
      await Promise.all(ids.map(everything))
    }
    await load.pause()
    await consumed()
    const changelogs = new Map<string, Told>()
    const rowsOf = async (topic: string): Promise<void> => {
      changelogs.set(topic, await changelogRows(bootstrapServers, topic, load.nowMs))
    }
    for (const id of ids) await Promise.all((await internalTopics(id, 'changelog')).map(rowsOf))
    load.end()
    await writing.done
    await consumed()
    await hands.endAll('stop')

    const told = new Map<string, Told>()
    const read = async (id: string, topic: OutputTopic): Promise<void> => {
      told.set(`${id}-${topic}`, await toldTo(bootstrapServers, `${id}-`, topic))
    }
    for (const id of ids) await Promise.all(outputs.map((topic) => read(id, topic)))
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
    await t.test('internal topics have the same settings, whoever has made them', async () => {
      const described = await describeTopics(bootstrapServers)
      const of = (id: string): unknown[] =>
        [...described.values()]
          .filter(({ topic }) => topic.startsWith(`${id}-`))
          .map(({ topic, partitions, configs }) => ({ topic: topic.slice(id.length), partitions, configs }))
          .sort((a, b) => (a.topic < b.topic ? -1 : 1))
      // The first turn's.
      assert.deepEqual(of('from-weir'), of('through'))
    })
  })
})
