import { setTimeout as sleep } from 'node:timers/promises'

import cassandra from 'cassandra-driver'

import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { freePorts } from '../services/ports.ts'
import { type LinkMode, TcpLink } from '../support/tcp-proxy.ts'
import type { Fault } from './plan.ts'

/** A worker's own way to it. */
interface Door {
  readonly port: number
  readonly link: TcpLink
}

/** A Cassandra node that each worker can reach only through a link that can be broken. */
export class FaultyCassandra implements AsyncDisposable {
  readonly #service: CassandraService
  readonly #doors: readonly Door[]
  readonly #stack: AsyncDisposableStack

  private constructor(service: CassandraService, doors: readonly Door[], stack: AsyncDisposableStack) {
    this.#service = service
    this.#doors = doors
    this.#stack = stack
  }

  static async start(doors: number): Promise<FaultyCassandra> {
    await using stack = new AsyncDisposableStack()
    // What it has said yes to must be there after its end: no fault of Weir's otherwise.
    const service = stack.use(await startCassandra({ quickStart: true, durable: true }))
    const ports = await freePorts(doors)
    const opened = await Promise.all(
      ports.map(async (port) => ({ port, link: stack.use(await TcpLink.listen(port, service.port)) })),
    )
    return new FaultyCassandra(service, opened, stack.move())
  }

  /** What a worker is given, or one who is not under test. */
  environment(door?: number): Record<string, string> {
    const { host, port, localDataCenter } = this.#service
    return {
      WEIR_CASSANDRA_CONTACT_POINTS: `${host}:${door === undefined ? port : this.#doors[door]!.port}`,
      WEIR_CASSANDRA_LOCAL_DATACENTER: localDataCenter,
    }
  }

  /** For those who are not under test. REQUIRES that it runs. */
  async connect(): Promise<cassandra.Client> {
    const { host, port, localDataCenter } = this.#service
    const client = new cassandra.Client({ contactPoints: [`${host}:${port}`], localDataCenter })
    await client.connect()
    return client
  }

  /** @param door of the worker that it befalls, unless it befalls all */
  async inject({ kind, forMs }: Fault, door: number): Promise<void> {
    if (kind === 'cassandra-kill') await this.#kill(forMs)
    else if (kind === 'cassandra-pause') await this.#pause(forMs)
    else {
      const { link } = this.#doors[door]!
      const modes: Partial<Record<Fault['kind'], LinkMode>> = {
        'cassandra-cut': 'cut',
        'cassandra-stall': 'stalled',
        'cassandra-deaf': 'deaf',
      }
      link.mode = modes[kind]!
      await sleep(forMs)
      if (kind === 'cassandra-deaf') link.cutAll()
      link.mode = 'open'
    }
  }

  /** Every link is open, and it runs. */
  async heal(): Promise<void> {
    for (const { link } of this.#doors) link.mode = 'open'
    if (this.#service.isRunning) process.kill(this.#service.pid, 'SIGCONT')
    else await this.#service.restart()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  async #kill(forMs: number): Promise<void> {
    await this.#service.kill9()
    await sleep(forMs)
    await this.#service.restart()
  }

  /** What is away, or on its way, cannot stand still. */
  async #pause(forMs: number): Promise<void> {
    if (!this.#service.isRunning) return
    const { pid } = this.#service
    process.kill(pid, 'SIGSTOP')
    await sleep(forMs)
    // It may have been killed meanwhile.
    if (this.#service.isRunning && this.#service.pid === pid) process.kill(pid, 'SIGCONT')
  }
}
