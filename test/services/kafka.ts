import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { formatStorage } from './kafka-storage.ts'
import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'
import { classPath } from './toolchain.ts'

export interface KafkaOptions {
  /** A folder for the broker's data, kept by `stop()`; one that a broker has used is used again. Default: temporary. */
  dataDir?: string | undefined
  /** Broker settings by their Kafka names, over the ones below: `{ 'log.cleaner.backoff.ms': 100 }`. */
  properties?: Record<string, string | number | boolean>
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

/** Starts one Kafka 4.3.1 node, broker and controller in one, on free ports of 127.0.0.1. Takes about 5 s. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const service = await startService({
    name: 'kafka',
    dataDir: options.dataDir,
    async prepare(dir) {
      mkdirSync(dir, { recursive: true })
      const propertiesFile = join(dir, 'server.properties')
      const logDir = join(dir, 'log')
      const properties = { ...brokerProperties(port, controllerPort, logDir), ...options.properties }
      writeFileSync(propertiesFile, toPropertiesText(properties))
      if (!existsSync(logDir)) await formatStorage(logDir)
      const heap = options.heapMegabytes ?? 1024
      return {
        command: 'java',
        args: [
          `-Xmx${heap}m`,
          `-Xms${Math.min(heap, 256)}m`,
          ...(options.measured === true ? measuredFlags : quickStartFlags),
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
    },
  })
  const addresses = { port, bootstrapServers: `127.0.0.1:${port}` }
  return Object.defineProperties(addresses, Object.getOwnPropertyDescriptors(service)) as KafkaService
}

function brokerProperties(
  port: number,
  controllerPort: number,
  logDir: string,
): Record<string, string | number | boolean> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
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
    // A killed broker may come back only when its session has ended.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    // A removed topic's files go at once: benches fill the disk with them.
    'file.delete.delay.ms': 100,
    'log.retention.hours': -1,
  }
}

function toPropertiesText(properties: Record<string, string | number | boolean>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}
