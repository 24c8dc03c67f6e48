import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics } from '../../examples/support/kafka.ts'
import { deleteTopics } from '../services/kafka-client.ts'
import { runKafkaTool } from '../services/kafka-tools.ts'
import { makeScratchDir, removeDir } from '../services/scratch-dir.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { Random } from '../support/seed.ts'
import { TopicReader } from '../support/topic-reader.ts'
import { CommitLog } from './commit-log.ts'
import type { FaultCluster } from './fault-cluster.ts'
import type { Incident } from './incidents.ts'
import {
  type Fault,
  isOfAll,
  isOfBroker,
  isOfCassandra,
  type SchedulePlan,
  SESSION_TIMEOUT_MS,
} from './plan.ts'
import type { ScheduleResult } from './schedule-result.ts'
import { Tier } from './tier.ts'
import { verify } from './verifier.ts'
import { Worker, type WorkersPlace } from './workers.ts'

const READY_TIMEOUT_MS = 60_000
/** After the last fault has been undone. */
const DRAIN_TIMEOUT_MS = 90_000
const OFFSETS_TOPIC_PARTITIONS = 4
/** The api key of what a transaction's coordinator tells the partitions' leaders when it has ended. */
const WRITE_TXN_MARKERS = 27
const DISK_BYTES = 64 * 2 ** 20

/**
 * When no coordinator answers for a session's time, librdkafka joins again with the same instance id. Classic: as another member, and it takes the answer to what the
 * member before has sent for the end of its own. Consumer: the broker may know the member still, and refuses it until it has missed it, too.
 */
const fencedByItself =
  /Static consumer fenced by other consumer with same group\.instance\.id|instance ID is still used by another member/

const fullDisk = /No space left on device/i

/** One that starts waits for Cassandra for a while. */
const withoutCassandra = /Cassandra at .* does not answer/

/**
 * Runs one schedule on the cluster, under an application id of its own: workers start, a load begins, faults come and go, the load ends, and when everything
 * has been processed and committed the workers stop and the topics are judged.
 *
 * @param logDir takes what the workers print, and is the caller's to remove
 * @param place of the workers
 */
export async function runSchedule(
  plan: SchedulePlan,
  faultCluster: FaultCluster,
  logDir: string,
  place: WorkersPlace = {},
): Promise<ScheduleResult> {
  const startedMs = performance.now()
  mkdirSync(logDir, { recursive: true })
  const schedule = new Schedule(plan, faultCluster, logDir, place)
  try {
    const verdict = await schedule.run()
    return { ...verdict, seconds: Math.round((performance.now() - startedMs) / 100) / 10 }
  } catch (error) {
    await schedule.postMortem(logDir)
    throw error
  } finally {
    await schedule[Symbol.asyncDispose]()
  }
}

class Schedule implements AsyncDisposable {
  readonly #plan: SchedulePlan
  readonly #cluster: FaultCluster
  readonly #firstDoor: number
  readonly #applicationId: string
  readonly #prefix: string
  readonly #workers: Worker[]
  readonly #stateDirs: string[]
  readonly #mounted = new Set<string>()
  readonly #incidents: Incident[] = []
  readonly #problems: string[] = []
  /** Null: no store is tiered. */
  readonly #tier: Tier | null

  readonly #unmount = (): void => {
    for (const dir of this.#mounted) execFileSync('umount', ['--lazy', dir])
    this.#mounted.clear()
  }

  constructor(plan: SchedulePlan, cluster: FaultCluster, logDir: string, place: WorkersPlace) {
    this.#plan = plan
    this.#cluster = cluster
    this.#firstDoor = place.firstDoor ?? 0
    const name = `${plan.seed}-${Date.now()}`
    this.#applicationId = `faults-${name}`
    this.#tier = plan.stores === 'tiered' ? new Tier(cluster.cassandra!, plan, name.replace('-', '_')) : null
    this.#prefix = `${this.#applicationId}.`
    const workers = Array.from({ length: plan.workers }, (_, index) => index)
    this.#stateDirs = workers.map((index) => this.#stateDir(index))
    this.#workers = workers.map(
      (index) =>
        new Worker({
          index,
          place,
          applicationId: this.#applicationId,
          bootstrapServers: cluster.workerBootstrapServers(this.#firstDoor + index),
          stateDir: this.#stateDirs[index]!,
          env: this.#environment(index),
          logDir,
          incidents: this.#incidents,
          mayEndWith: this.#mayEndWith(index),
          onProblem: (problem) => this.#problems.push(problem),
        }),
    )
  }

  async run(): Promise<Omit<ScheduleResult, 'seconds'>> {
    const { partitions, keys, recordsPerSecond, loadMs, faults, seed, guarantee } = this.#plan
    const { bootstrapServers } = this.#cluster
    const topics = ['input', 'tracked', 'group-tracked', 'group-counts'].map((name) => this.#prefix + name)
    await Promise.all([
      createTopics(bootstrapServers, Object.fromEntries(topics.map((topic) => [topic, partitions]))),
      this.#tier?.make(),
    ])
    const commits = await CommitLog.open(bootstrapServers, this.#applicationId, OFFSETS_TOPIC_PARTITIONS)
    await Promise.all(this.#workers.map((worker) => worker.start()))
    await Promise.all(this.#workers.map((worker) => worker.ready(READY_TIMEOUT_MS)))
    {
      using load = new NumberedLoad(bootstrapServers, topics[0]!, {
        keys,
        recordsPerSecond,
        random: new Random(seed),
      })
      await Promise.all([
        sleep(loadMs),
        ...faults.map(async (fault) => {
          await sleep(fault.atMs)
          await this.#inject(fault)
        }),
      ])
      load.stop()
      await Promise.all(this.#workers.map((worker) => worker.start()))
      await load.done
    }
    await Promise.all([
      this.#drained(topics[0]!),
      ...this.#workers.map((worker) => worker.ready(DRAIN_TIMEOUT_MS + 10_000)),
    ])
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    await commits.read()
    const verdict = await verify({
      bootstrapServers,
      applicationId: this.#applicationId,
      prefix: this.#prefix,
      partitions,
      isExactlyOnce: guarantee === 'exactly_once_v2',
      commits,
      incidents: this.#incidents,
      tables: (await this.#tier?.read()) ?? null,
    })
    const problems = [...this.#problems, ...verdict.problems]
    // What failed is left to be looked at.
    if (problems.length === 0) await Promise.all([this.#deleteTopics(topics), this.#tier?.drop()])
    return { ...verdict, problems, found: verdict.problems }
  }

  /** What the brokers say of an application that does not go on. */
  async postMortem(logDir: string): Promise<void> {
    const ask = async (...args: string[]): Promise<string> =>
      await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', [
        '--bootstrap-server',
        this.#cluster.bootstrapServers,
        ...args,
      ]).catch((error: unknown) => String(error))
    const transactions = await ask('list')
    const open = transactions
      .split('\n')
      .filter((line) => line.includes(this.#applicationId) && !/Complete|Empty/.test(line))
    for (const line of [...open])
      open.push(await ask('describe', '--transactional-id', line.trim().split(/\s+/)[0]!))
    for (let partition = 0; partition < OFFSETS_TOPIC_PARTITIONS; partition++)
      open.push(
        await ask('describe-producers', '--topic', '__consumer_offsets', '--partition', String(partition)),
      )
    const group = ['--bootstrap-server', this.#cluster.bootstrapServers, '--group', this.#applicationId]
    const described = await runKafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...group,
      '--describe',
      '--offsets',
    ]).catch((error: unknown) => String(error))
    open.push(described)
    writeFileSync(join(logDir, 'transactions.txt'), `${transactions}\n${open.join('\n')}`)
    for (const { ports, logFile } of this.#cluster.cluster.brokers)
      copyFileSync(logFile, join(logDir, `broker-${ports.nodeId}.log`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()))
    this.#unmount()
    process.off('exit', this.#unmount)
    for (const dir of this.#stateDirs) removeDir(dir)
  }

  #stateDir(worker: number): string {
    const dir = makeScratchDir('faults')
    if (this.#plan.faults.some((fault) => fault.kind === 'disk-full' && fault.worker === worker)) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir])
      this.#mounted.add(dir)
      process.once('exit', this.#unmount)
    }
    return dir
  }

  /** What a worker may end with, to be started again; null: nothing. */
  #mayEndWith(worker: number): RegExp | null {
    const { isStatic, faults } = this.#plan
    const isMounted = this.#mounted.has(this.#stateDirs[worker]!)
    const ends = [
      ...(isMounted ? [fullDisk] : []),
      ...(isMounted || isStatic ? [fencedByItself] : []),
      ...(faults.some(({ kind }) => isOfCassandra(kind)) ? [withoutCassandra] : []),
    ]
    return ends.length === 0 ? null : new RegExp(ends.map(({ source }) => source).join('|'), 'i')
  }

  #environment(worker: number): Record<string, string> {
    const { guarantee, protocol, isStatic, threads, commitIntervalMs, flushEveryRecords, stores } = this.#plan
    return {
      FAULTS_PREFIX: this.#prefix,
      FAULTS_STORES: stores,
      ...this.#tier?.environment(this.#firstDoor + worker),
      WEIR_PROCESSING_GUARANTEE: guarantee,
      WEIR_GROUP_PROTOCOL: protocol,
      ...(isStatic ? { WEIR_GROUP_INSTANCE_ID: `worker-${worker}` } : {}),
      WEIR_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      ...(guarantee === 'exactly_once_v2'
        ? { WEIR_TRANSACTION_TIMEOUT_MS: String(this.#plan.transactionTimeoutMs) }
        : {}),
      WEIR_MAX_POLL_INTERVAL_MS: '30000',
      WEIR_NUM_STREAM_THREADS: String(threads),
      WEIR_COMMIT_INTERVAL_MS: String(commitIntervalMs),
      WEIR_FLUSH_EVERY_RECORDS: String(flushEveryRecords),
      WEIR_MEMORY_BYTES: String(512 * 2 ** 20),
      // A broker that is back is found soon.
      WEIR_CONSUMER_RECONNECT_BACKOFF_MAX_MS: '500',
      WEIR_PRODUCER_RECONNECT_BACKOFF_MAX_MS: '500',
      WEIR_ADMIN_RECONNECT_BACKOFF_MAX_MS: '500',
    }
  }

  async #inject(fault: Fault): Promise<void> {
    const { kind, forMs } = fault
    const worker = this.#workers[fault.worker]!
    if (isOfBroker(kind)) await this.#noting(fault, null, () => this.#injectBroker(fault))
    else if (isOfCassandra(kind))
      await this.#noting(fault, isOfAll(kind) ? null : worker, () =>
        this.#cluster.cassandra!.inject(fault, this.#firstDoor + worker.index),
      )
    else if (kind.startsWith('link-')) await this.#noting(fault, worker, () => this.#injectLink(fault))
    else if (kind === 'worker-pause') await worker.pause(forMs)
    else if (kind === 'disk-full')
      await this.#noting(fault, worker, () => this.#fillDisk(fault, worker.index))
    else {
      if (kind === 'worker-stop') await worker.stop()
      else await worker.kill9({ deleteState: kind === 'worker-kill-delete-state' })
      await sleep(forMs)
      await worker.start()
    }
  }

  async #noting({ kind }: Fault, worker: Worker | null, work: () => Promise<void>): Promise<void> {
    const fromMs = Date.now()
    const incident: Incident = {
      kind,
      worker: worker?.index ?? null,
      life: worker?.life ?? null,
      fromMs,
      toMs: Number.POSITIVE_INFINITY,
    }
    this.#incidents.push(incident)
    await work()
    incident.toMs = Date.now()
  }

  async #injectBroker({ kind, forMs, broker: index, latencyMs }: Fault): Promise<void> {
    const broker = this.#cluster.cluster.brokers[index!]!
    if (kind === 'peers-slow' || kind === 'markers-late') {
      const link = this.#cluster.peers(index!)
      link.mode = kind === 'peers-slow' ? latencyMs : { apiKey: WRITE_TXN_MARKERS, latencyMs }
      await sleep(forMs)
      link.mode = 'open'
    } else if (kind === 'broker-pause') {
      process.kill(broker.pid, 'SIGSTOP')
      await sleep(forMs)
      process.kill(broker.pid, 'SIGCONT')
    } else {
      if (kind === 'broker-kill') await broker.kill9()
      else await broker.shutDown()
      await sleep(forMs)
      await broker.restart()
    }
  }

  async #injectLink({ kind, forMs, worker, broker, latencyMs }: Fault): Promise<void> {
    const links = this.#cluster.links(this.#firstDoor + worker, broker)
    const modes = {
      'link-cut': 'cut',
      'link-stall': 'stalled',
      'link-deaf': 'deaf',
      'link-slow': latencyMs,
    } as const
    for (const link of links) link.mode = modes[kind as keyof typeof modes]
    await sleep(forMs)
    for (const link of links) {
      if (kind === 'link-deaf') link.cutAll()
      link.mode = 'open'
    }
  }

  async #fillDisk({ forMs }: Fault, worker: number): Promise<void> {
    const filler = join(this.#stateDirs[worker]!, 'filler')
    const file = openSync(filler, 'w')
    const chunk = Buffer.alloc(64 * 1024)
    try {
      for (let written = 0; written < 2 * DISK_BYTES; written += chunk.length) writeSync(file, chunk)
      throw new Error(`${filler} fits: the file system is not full`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
    await sleep(forMs)
    // Another such fault may have been at it.
    rmSync(filler, { force: true })
  }

  /** Waits until everything was processed and committed: the source, and what is in the repartition topic then. */
  async #drained(source: string): Promise<void> {
    const { partitions, guarantee } = this.#plan
    const { bootstrapServers } = this.#cluster
    const isolation = guarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted'
    const open = (): Promise<TopicReader> =>
      TopicReader.open(bootstrapServers, this.#applicationId, isolation)
    let reader = await open()
    await using _ = { [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose]() }
    // A client that knew a partition's last leader only may not find the next: another looks for itself.
    const reopen = async (): Promise<void> => {
      const [former, next] = [reader, await open()]
      reader = next
      await former[Symbol.asyncDispose]()
    }
    const deadline = Date.now() + DRAIN_TIMEOUT_MS
    const until = async (what: string, remaining: () => Promise<number>): Promise<void> => {
      for (;;) {
        // The coordinator may have moved.
        const left = await remaining().catch((error: unknown) => (error as Error).message)
        if (left === 0) return
        if (typeof left === 'string') await reopen().catch(() => {})
        if (Date.now() > deadline) {
          const state = this.#workers.map(
            ({ life, isRunning }) => `${life} ${isRunning ? 'runs' : 'does not'}`,
          )
          throw new Error(`${what} is not consumed: ${left} records are left; ${state.join(', ')}`)
        }
        await sleep(100)
      }
    }
    const lag = async (topic: string, ends: readonly number[]): Promise<number> => {
      const committed = await reader.committed(topic, partitions)
      return ends.reduce((sum, end, partition) => sum + Math.max(0, end - committed[partition]!), 0)
    }
    const sourceEnds = await reader.ends(source, partitions)
    await until(source, () => lag(source, sourceEnds))
    const repartition = `${this.#applicationId}-groups-repartition`
    // A transaction's offsets may be seen before all of what it wrote.
    await until(`the last transaction in ${repartition}`, async () => {
      await using uncommitted = await TopicReader.open(bootstrapServers, this.#applicationId)
      const ends = await uncommitted.ends(repartition, partitions)
      const stableEnds = await reader.ends(repartition, partitions)
      return ends.reduce((sum, end, partition) => sum + Math.max(0, end - stableEnds[partition]!), 0)
    })
    await until(repartition, async () => {
      // The end of a transaction is no record: what counts is the last record's offset.
      const ends = Array<number>(partitions).fill(0)
      const positions = await reader.begins(repartition, partitions)
      await reader.read(repartition, positions, await reader.ends(repartition, partitions), (message) => {
        ends[message.partition] = message.offset + 1
      })
      return await lag(repartition, ends)
    })
  }

  async #deleteTopics(own: readonly string[]): Promise<void> {
    const internal = [
      'tracks-changelog',
      'group-tracks-changelog',
      'group-counts-changelog',
      'groups-repartition',
    ]
    await deleteTopics(this.#cluster.bootstrapServers, [
      ...own,
      ...(this.#tier === null ? [] : [`${this.#applicationId}-marks-changelog`]),
      ...internal.map((name) => `${this.#applicationId}-${name}`),
    ])
  }
}
