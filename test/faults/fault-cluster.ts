import {
  bootstrapThrough,
  clusterPorts,
  type KafkaCluster,
  startKafkaCluster,
} from '../services/kafka-cluster.ts'
import { TcpLink } from '../support/tcp-proxy.ts'
import { FaultyCassandra } from './faulty-cassandra.ts'
import { SESSION_TIMEOUT_MS, WORKERS_MAX } from './plan.ts'

/** A cluster whose brokers can be reached by each worker, and by each other, only through links that can be broken. */
export interface FaultCluster extends AsyncDisposable {
  readonly cluster: KafkaCluster
  /** Null: nobody needs it. */
  readonly cassandra: FaultyCassandra | null
  /** For those who are not under test. */
  readonly bootstrapServers: string
  /** What a worker is given. */
  workerBootstrapServers(worker: number): string
  /** A worker's links to one broker, or to all. */
  links(worker: number, broker: number | null): readonly TcpLink[]
  /** The link by which other brokers reach this one. */
  peers(broker: number): TcpLink
  /** Every link is open, every broker and Cassandra run, every replica is in sync. */
  heal(): Promise<void>
}

/** @param withCassandra for tiered stores */
export async function startFaultCluster({ withCassandra = false } = {}): Promise<FaultCluster> {
  const stack = new AsyncDisposableStack()
  try {
    const ports = await clusterPorts(WORKERS_MAX)
    const listen = async (door: { advertisedPort: number; port: number }): Promise<TcpLink> =>
      stack.use(await TcpLink.listen(door.advertisedPort, door.port))
    const peers = await Promise.all(ports.map((broker) => listen(broker.peers)))
    /** By broker, then by worker. */
    const doors = await Promise.all(ports.map((broker) => Promise.all(broker.doors.map(listen))))
    const cluster = stack.use(await startKafkaCluster(ports, { properties: quickToNotice }))
    const cassandra = withCassandra ? stack.use(await FaultyCassandra.start(WORKERS_MAX)) : null
    return {
      cluster,
      cassandra,
      bootstrapServers: cluster.bootstrapServers,
      workerBootstrapServers: (worker) => bootstrapThrough(ports, worker),
      links: (worker, broker) =>
        doors.filter((_, of) => broker === null || broker === of).map((of) => of[worker]!),
      peers: (broker) => peers[broker]!,
      async heal() {
        for (const link of [...peers, ...doors.flat()]) link.mode = 'open'
        await Promise.all(
          cluster.brokers.map(async (broker) => {
            if (broker.isRunning) process.kill(broker.pid, 'SIGCONT')
            else await broker.restart()
          }),
        )
        await cassandra?.heal()
        await cluster.inSync()
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** What is gone is missed soon, so that a schedule of seconds has in it what takes minutes elsewhere. */
const quickToNotice = {
  'broker.session.timeout.ms': 2_000,
  'broker.heartbeat.interval.ms': 300,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1_500,
  'group.consumer.min.session.timeout.ms': 1_000,
  'group.consumer.session.timeout.ms': SESSION_TIMEOUT_MS,
  'group.consumer.min.heartbeat.interval.ms': 200,
  'group.consumer.heartbeat.interval.ms': 300,
  'log.initial.task.delay.ms': 1_000,
} as const
