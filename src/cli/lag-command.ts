import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'

import { adminConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { Admin, type TopicPartition, type TopicPartitionOffset } from '../native.ts'
import { createLogger } from '../observe/logger.ts'
import { askCluster, type ClusterRequestOptions } from '../runtime/cluster-requests.ts'
import type { Logger } from '../runtime/logger.ts'
import { partitionKey } from '../runtime/task-inputs.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { type LagReport, offsetLag, totalsOf, withSeconds } from './lag-figures.ts'
import { lagInputs } from './lag-inputs.ts'
import { lagText } from './lag-text.ts'
import { firstTimes } from './lag-times.ts'
import { LiveText } from './live-text.ts'
import { onStopSignals } from './stop-signals.ts'

/** How long brokers may be unreachable. */
const TIMEOUT_MS = 30_000
const REQUEST_TIMEOUT_MS = 10_000
/** How long the first records of all partitions may take to come. */
const RECORDS_TIMEOUT_MS = 5_000

export interface LagOptions {
  readonly follow: boolean
  readonly intervalMs: number
  readonly json: boolean
}

/**
 * `weir lag`: how far each task is behind, once or again and again. It joins no group and commits nothing.
 *
 * @throws WeirError with one line
 */
export async function showLag(modulePath: string, options: LagOptions): Promise<void> {
  const config = loadConfig()
  const topology = await loadTopology(moduleUrlOf(modulePath), config.topologyOptimization)
  // Standard output is the report's.
  const logger = createLogger(config, pino.destination({ dest: 2, sync: true }))
  const stop = new AbortController()
  const admin = new Admin(adminConfig(config))
  const request = { config, topology, admin, logger, signal: stop.signal, timeoutMs: TIMEOUT_MS }
  try {
    if (options.follow) await follow(request, options, stop)
    else {
      const report = await measureLag(request)
      process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : lagText(report, null)}\n`)
    }
  } finally {
    await admin.close()
  }
}

async function follow(request: LagRequest, options: LagOptions, stop: AbortController): Promise<void> {
  const restoreSignals = onStopSignals(() => stop.abort())
  const { signal } = stop
  const live = !options.json && process.stdout.isTTY === true ? new LiveText(process.stdout) : null
  let before: LagReport | null = null
  try {
    while (!signal.aborted) {
      const report: LagReport = await measureLag(request)
      if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
      else if (live === null) process.stdout.write(`${lagText(report, before)}\n\n`)
      else live.draw(lagText(report, before))
      before = report
      await sleep(options.intervalMs, undefined, { signal }).catch(() => {})
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    live?.done()
    restoreSignals()
  }
}

export interface LagRequest extends ClusterRequestOptions {
  readonly config: Config
  readonly topology: TopologyDefinition
  readonly admin: Admin
  readonly logger: Logger
}

/** Looks once. @throws WeirError broker-unreachable, authentication-failed, authorization-failed */
export async function measureLag(request: LagRequest): Promise<LagReport> {
  const { config, topology, admin } = request
  const { applicationId, processingGuarantee } = config
  const isolation = processingGuarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted'
  const [topics, group, committed] = await Promise.all([
    askCluster('listing topics', request, () => admin.listTopics(REQUEST_TIMEOUT_MS)),
    askCluster('describing the group', request, () => admin.describeGroup(applicationId, REQUEST_TIMEOUT_MS)),
    askCluster('reading the offsets of the group', request, () =>
      admin.groupOffsets(applicationId, REQUEST_TIMEOUT_MS),
    ),
  ])
  const partitionsOf = new Map(topics.map(({ name, partitions }) => [name, partitions]))
  const { inputs, missingTopics } = lagInputs(topology, config, partitionsOf)
  const asked: TopicPartition[] = inputs.map(({ topic, partition }) => ({ topic, partition }))
  const list = (at: 'earliest' | 'latest'): Promise<TopicPartitionOffset[]> =>
    asked.length === 0
      ? Promise.resolve([])
      : askCluster('listing offsets', request, () =>
          admin.listOffsets(asked, at, isolation, REQUEST_TIMEOUT_MS),
        )
  // The ends last: what was committed by then lies before them.
  const earliest = await list('earliest')
  const end = await list('latest')
  const offsets = {
    committed: byPartition(committed),
    earliest: byPartition(earliest),
    end: byPartition(end),
  }
  const lags = inputs.map((input) => offsetLag(input, offsets))
  const first = lags.flatMap(({ topic, partition, next, end: before, records }) =>
    records === null || records === 0 ? [] : [{ topic, partition, offset: next!, end: before! }],
  )
  const times = await firstTimes(first, { ...request, isolation, timeoutMs: RECORDS_TIMEOUT_MS })
  const nowMs = Date.now()
  const partitions = lags.map((lag) => withSeconds(lag, times.get(partitionKey(lag)), nowMs))
  return {
    applicationId,
    groupState: group.state,
    members: group.members.length,
    isolation,
    at: new Date(nowMs).toISOString(),
    partitions,
    missingTopics,
    ...totalsOf(partitions),
  }
}

/** Offsets that there are. */
function byPartition(offsets: readonly TopicPartitionOffset[]): ReadonlyMap<string, number> {
  return new Map(offsets.filter(({ offset }) => offset >= 0).map((one) => [partitionKey(one), one.offset]))
}
