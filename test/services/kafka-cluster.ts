import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProperties, brokerProperties, prepareNode, quickStart } from './kafka.ts'
import { withConsumer } from './kafka-client.ts'
import { newKafkaId } from './kafka-storage.ts'
import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'

/** A listener of a broker whose clients are told to come to `advertisedPort`: somebody there (a proxy) has to lead them to `port`. */
export interface Door {
  readonly port: number
  readonly advertisedPort: number
}

export interface BrokerPorts {
  /** From 1. */
  readonly nodeId: number
  /** For clients that connect to the broker itself. */
  readonly port: number
  readonly controllerPort: number
  /** For the other brokers. */
  readonly peers: Door
  /** For clients of which each group comes through doors of its own. */
  readonly doors: readonly Door[]
}

export interface ClusterOptions {
  /** Of each broker. Default 400. */
  heapMegabytes?: number
  /** Over the cluster's own, by their Kafka names. */
  properties?: BrokerProperties
}

export interface ClusterBroker extends Service {
  readonly ports: BrokerPorts
}

export interface KafkaCluster extends AsyncDisposable {
  /** Of every broker, without a proxy. */
  readonly bootstrapServers: string
  readonly brokers: readonly ClusterBroker[]
  /** Waits until every partition has all its replicas in sync. */
  inSync(timeoutMs?: number): Promise<void>
}

const BROKERS = 3

/** Ports for a cluster of three brokers with so many doors each, chosen before it starts, so that proxies can be there first. */
export async function clusterPorts(doors: number): Promise<BrokerPorts[]> {
  const ports = await freePorts(BROKERS * (4 + 2 * doors))
  const next = (): number => ports.pop()!
  const door = (): Door => ({ port: next(), advertisedPort: next() })
  return Array.from({ length: BROKERS }, (_, index) => ({
    nodeId: index + 1,
    port: next(),
    controllerPort: next(),
    peers: door(),
    doors: Array.from({ length: doors }, door),
  }))
}

/** What clients are given that come through this door. */
export function bootstrapThrough(brokers: readonly BrokerPorts[], door: number): string {
  return brokers.map(({ doors }) => `127.0.0.1:${doors[door]!.advertisedPort}`).join()
}

/**
 * Starts a Kafka 4.3.1 cluster on 127.0.0.1: three nodes, each broker and controller, so that any one may be killed. Every topic has three replicas,
 * and takes records when two are in sync. About 8 s.
 */
export async function startKafkaCluster(
  ports: readonly BrokerPorts[],
  options: ClusterOptions = {},
): Promise<KafkaCluster> {
  const clusterId = newKafkaId()
  const flags = await quickStart()
  const started = await Promise.allSettled(
    ports.map((own) =>
      startService({
        name: `kafka-${own.nodeId}`,
        prepare: (dir) =>
          prepareNode(dir, {
            properties: { ...nodeProperties(own, ports), ...options.properties },
            heapMegabytes: options.heapMegabytes ?? 400,
            flags,
            ids: { nodeId: own.nodeId, clusterId },
          }),
      }),
    ),
  )
  const services = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()))
  }
  const failed = started.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const bootstrapServers = ports.map(({ port }) => `127.0.0.1:${port}`).join()
  return {
    bootstrapServers,
    brokers: services.map((service, index) => toBroker(service, ports[index]!)),
    inSync: (timeoutMs) => inSync(bootstrapServers, timeoutMs),
    [Symbol.asyncDispose]: stop,
  }
}

function toBroker(service: Service, ports: BrokerPorts): ClusterBroker {
  return Object.defineProperties({ ports }, Object.getOwnPropertyDescriptors(service)) as ClusterBroker
}

function nodeProperties(own: BrokerPorts, all: readonly BrokerPorts[]): BrokerProperties {
  const listeners = [`PLAINTEXT://127.0.0.1:${own.port}`, `PEERS://127.0.0.1:${own.peers.port}`]
  const advertised = [`PLAINTEXT://127.0.0.1:${own.port}`, `PEERS://127.0.0.1:${own.peers.advertisedPort}`]
  const protocols = ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', 'PEERS:PLAINTEXT']
  for (const [index, door] of own.doors.entries()) {
    listeners.push(`DOOR${index}://127.0.0.1:${door.port}`)
    advertised.push(`DOOR${index}://127.0.0.1:${door.advertisedPort}`)
    protocols.push(`DOOR${index}:PLAINTEXT`)
  }
  return {
    ...brokerProperties(own.port, own.controllerPort),
    'node.id': own.nodeId,
    'controller.quorum.voters': all
      .map(({ nodeId, controllerPort }) => `${nodeId}@127.0.0.1:${controllerPort}`)
      .join(),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${own.controllerPort}`].join(),
    'advertised.listeners': advertised.join(),
    'listener.security.protocol.map': protocols.join(),
    'inter.broker.listener.name': 'PEERS',
    'default.replication.factor': BROKERS,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': BROKERS,
    'transaction.state.log.replication.factor': BROKERS,
    'transaction.state.log.min.isr': 2,
    'share.coordinator.state.topic.replication.factor': BROKERS,
    'share.coordinator.state.topic.min.isr': 2,
    // A broker that is away, or a link that is slow, holds up what its partitions are part of, not everything.
    'replica.lag.time.max.ms': 3_000,
    'replica.socket.timeout.ms': 5_000,
    'request.timeout.ms': 5_000,
  }
}

async function inSync(bootstrapServers: string, timeoutMs = 60_000): Promise<void> {
  await withConsumer(bootstrapServers, {}, async (consumer) => {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const behind = await new Promise<string[]>((resolve) => {
        consumer.getMetadata(
          { allTopics: true, timeout: 5_000 },
          (error, { topics } = { topics: [] } as never) => {
            const partitions = topics.flatMap(({ name, partitions }) =>
              partitions.map((one) => ({ name, ...one })),
            )
            const late = partitions.filter(({ isrs, leader }) => isrs.length < BROKERS || leader < 0)
            resolve(error ? [error.message] : late.map(({ name, id }) => `${name} partition ${id}`))
          },
        )
      })
      if (behind.length === 0) return
      if (Date.now() > deadline)
        throw new Error(`after ${timeoutMs} ms replicas are not in sync: ${behind.slice(0, 5).join(', ')}`)
      await sleep(100)
    }
  })
}
