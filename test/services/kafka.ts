import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ClassArchive } from './class-archive.ts'
import { createTopic, produceAll, readAll } from './kafka-client.ts'
import { formatStorage, type StorageIds } from './kafka-storage.ts'
import { freePorts } from './ports.ts'
import type { ServerCommand } from './server-process.ts'
import { type Service, startService } from './service.ts'
import { classPath, serviceDir } from './toolchain.ts'

/** Broker settings by their Kafka names. */
export type BrokerProperties = Record<string, string | number | boolean>

export interface KafkaOptions {
  /** A folder for the broker's data, kept by `stop()`; one that a broker has used is used again. Default: temporary. */
  dataDir?: string | undefined
  /** Broker settings by their Kafka names, over the ones below: `{ 'log.cleaner.backoff.ms': 100 }`. */
  properties?: BrokerProperties
  /** The broker's heap. Default 1024. */
  heapMegabytes?: number
  /** For a broker that is measured: fully optimised code, short pauses. Default false: it starts with half of the CPU time. */
  measured?: boolean
}

export interface KafkaService extends Service {
  /** `127.0.0.1:<port>`, the same after a restart. */
  readonly bootstrapServers: string
  readonly port: number
}

const startTimeoutMs = 90_000
const measuredFlags = ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
const quickStartFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Starts one Kafka 4.3.1 node, broker and controller in one, on free ports of 127.0.0.1. Takes about 2 s. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  return await startWith(options.measured === true ? measuredFlags : await quickStart(), options)
}

async function startWith(flags: readonly string[], options: KafkaOptions): Promise<KafkaService> {
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const service = await startService({
    name: 'kafka',
    dataDir: options.dataDir,
    prepare: (dir) =>
      prepareNode(dir, {
        properties: { ...brokerProperties(port, controllerPort), ...options.properties },
        heapMegabytes: options.heapMegabytes ?? 1024,
        flags,
      }),
  })
  const addresses = { port, bootstrapServers: `127.0.0.1:${port}` }
  return Object.defineProperties(addresses, Object.getOwnPropertyDescriptors(service)) as KafkaService
}

/** The flags of a quick start, with an archive of the broker's classes; the first call on a machine makes it, in about 5 s. */
export async function quickStart(): Promise<string[]> {
  const archive = new ClassArchive(serviceDir('kafka'))
  if (!archive.exists) {
    await archive.make(async (options) => {
      await using kafka = await startWith([...quickStartFlags, ...options], {})
      const { bootstrapServers } = kafka
      await createTopic(bootstrapServers, 'used')
      await produceAll(bootstrapServers, 'used', [{ value: 'x' }], {
        transaction: { id: 'used', end: 'commit' },
      })
      await readAll(bootstrapServers, 'used', 'read_committed')
      await kafka.shutDown()
    })
  }
  return [...quickStartFlags, ...archive.options]
}

export interface NodeOptions {
  properties: BrokerProperties
  heapMegabytes: number
  /** Of the JVM. */
  flags: readonly string[]
  /** Default: node 1 of a cluster of its own. */
  ids?: StorageIds
}

/** Writes a node's settings into its folder, formats its storage if it has none yet, and says how to start it. */
export async function prepareNode(
  dir: string,
  { properties, heapMegabytes, flags, ids }: NodeOptions,
): Promise<Omit<ServerCommand, 'name'>> {
  mkdirSync(dir, { recursive: true })
  const propertiesFile = join(dir, 'server.properties')
  const logDir = join(dir, 'log')
  writeFileSync(propertiesFile, toPropertiesText({ ...properties, 'log.dirs': logDir }))
  if (!existsSync(logDir)) await formatStorage(logDir, ids)
  return {
    command: 'java',
    args: [
      `-Xmx${heapMegabytes}m`,
      `-Xms${Math.min(heapMegabytes, 256)}m`,
      ...flags,
      '-Djava.awt.headless=true',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      '-cp',
      classPath('kafka'),
      'kafka.Kafka',
      propertiesFile,
    ],
    logFile: join(dir, 'server.log'),
    isReady: (log) => log.includes('Kafka Server started'),
    startTimeoutMs,
  }
}

/** Of a node that is a cluster by itself. */
export function brokerProperties(port: number, controllerPort: number): BrokerProperties {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.coordinator.rebalance.protocols': 'classic,consumer,streams',
    'group.initial.rebalance.delay.ms': 0,
    // Lets a test that kills a member see it leave soon; the members' own settings stay what they are.
    'group.min.session.timeout.ms': 1_000,
    'group.consumer.min.session.timeout.ms': 1_000,
    'group.consumer.min.heartbeat.interval.ms': 100,
    // A member hears with its next heartbeat that partitions move: after up to five seconds otherwise.
    'group.consumer.heartbeat.interval.ms': 500,
    // What a killed producer leaves open ends when its time is over, not up to ten seconds later.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    // A killed broker may come back only when its session has ended.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    // A removed topic's files go at once: benches fill the disk with them.
    'file.delete.delay.ms': 100,
    'log.retention.hours': -1,
  }
}

function toPropertiesText(properties: BrokerProperties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}
