import { checkRocksDb } from '../config/check-rocksdb.ts'
import { adminConfig } from '../config/clients.ts'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Admin, StateMemory } from '../native.ts'
import { type BuildInfo, buildInfo } from '../observe/build-info.ts'
import { createLogger } from '../observe/logger.ts'
import { openTelemetryTracer } from '../observe/open-telemetry.ts'
import { QueryableStores } from '../query/queryable-stores.ts'
import { globalSubtopology } from '../topology/global-stores.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { repartitionTopic } from '../topology/topic-names.ts'
import { hasPatterns, patternMatcher } from '../topology/topic-patterns.ts'
import { Application } from './application.ts'
import type { ApplicationParts, FollowedPatterns } from './application-parts.ts'
import { offsetResets, planApplication } from './application-plan.ts'
import type { Handlers } from './channel.ts'
import { checkGlobalStores } from './global/definition.ts'
import { GlobalThread } from './global/global-thread.ts'
import type { GlobalStoresHandle, GlobalThreadJob } from './global/protocol.ts'
import { logKafkaClients } from './kafka-log.ts'
import type { Logger } from './logger.ts'
import { ClassicMembership } from './membership/classic-membership.ts'
import { checkCassandra, prepareCassandra } from './prepare-cassandra.ts'
import type { SchemaRequests } from './protocol.ts'
import { boundTopology } from './schemas/bound-topology.ts'
import { openSchemas } from './schemas/open-schemas.ts'
import type { SchemaThreadRequests } from './schemas/thread-schemas.ts'
import type { StartOptions } from './start-application.ts'
import { StateDirectory } from './state-directory.ts'
import { stateMemoryOptions } from './state-memory-options.ts'
import { ThreadPool } from './thread-pool.ts'
import { Ticker } from './ticker.ts'
import { tierChangelogs } from './tier-watermarks.ts'
import type { TopicAdmin } from './topic-admin.ts'
import { TopologyRecord } from './topology-record.ts'

const START_TIMEOUT_MS = 30_000

/** Starts an application, with options that were checked: see {@link startApplication}. */
export async function launchApplication(options: StartOptions): Promise<Application> {
  const {
    onUncaughtError,
    paused = false,
    startTimeoutMs = START_TIMEOUT_MS,
    signal = new AbortController().signal,
  } = options
  const config = options.config ?? loadConfig()
  const logger = options.logger ?? createLogger(config)
  const build = logBuild(logger)
  if (config.tracing !== 'none') await openTelemetryTracer(config.applicationId)
  const moduleUrl = moduleUrlFrom(options.topology)
  const topology = await loadTopology(moduleUrl, config.topologyOptimization)
  checkGlobalStores(moduleUrl, topology)
  const problems = await checkRocksDb(config, topology)
  if (problems.length > 0) throw new ConfigError(problems)
  checkCassandra(topology, config)

  await using resources = new AsyncDisposableStack()
  const kafkaLog = logKafkaClients(logger)
  resources.defer(async () => kafkaLog.close())
  const directory = await StateDirectory.open(config.stateDir, config.applicationId)
  resources.defer(() => directory.close())
  if (directory.newer !== null) {
    logger.warn(
      { folder: directory.newer },
      'the state folder was written by a newer version of Weir: its state is set aside, and restored; delete it when it is no longer needed',
    )
  }
  const record = await TopologyRecord.check(directory.path, topology, config, logger)
  const admin: TopicAdmin = options.topicAdmin ?? new Admin(adminConfig(config))
  resources.defer(() => admin.close())
  signal.throwIfAborted()

  const planning = { config, admin, logger, signal, timeoutMs: startTimeoutMs }
  const plan = await planApplication(topology, planning).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
  await record.write()
  const { tasks, topics } = plan
  const patterns: FollowedPatterns | null = !hasPatterns(topology)
    ? null
    : {
        topology,
        matches: patternMatcher(topology, config.applicationId),
      }
  if (tasks.length === 0 && patterns === null)
    throw new WeirError('topology-invalid', `${moduleUrl}: the topology reads no topic, global ones apart`)
  logger.info(
    { tasks: tasks.length, threads: config.streamThreadsMax, ...config.memory },
    'memory is divided',
  )

  const schemas = await openSchemas(topology, {
    config,
    registry: options.schemaRegistry,
    logger,
    signal,
    timeoutMs: startTimeoutMs,
  })
  resources.defer(() => schemas.close())
  await prepareCassandra(topology, { config, logger, signal, timeoutMs: startTimeoutMs })

  const memory = StateMemory.acquire(stateMemoryOptions(config))
  resources.defer(async () => memory.close())
  const global =
    globalSubtopology(topology).sourceTopics.length === 0
      ? null
      : await startGlobalThread(
          { config, moduleUrl, topics, schemas: schemas.answers },
          logger,
          schemas.handlers,
          resources,
          signal,
        )
  // What was waited for above may have been done when the signal came; from here on nothing is.
  signal.throwIfAborted()
  const heartbeats = new SharedArrayBuffer(config.streamThreadsMax * Int32Array.BYTES_PER_ELEMENT)
  const ticker = new Ticker(config.slowRecordMs)
  resources.defer(async () => ticker.stop())
  const parts: ApplicationParts = {
    config,
    logger,
    admin,
    memory,
    plan,
    patterns,
    replan: (ended) => planApplication(topology, { ...planning, signal: ended }),
    tierChangelogs: tierChangelogs(topology, config.applicationId, topics),
    repartitionTopics: new Set(
      topology.repartitionTopics.map(({ name }) => repartitionTopic(config.applicationId, name)),
    ),
    heartbeats,
    globalThread: global?.thread ?? null,
    schemas,
    stores: new QueryableStores(
      boundTopology(topology, { config, schemas: schemas.answers }, askedHere(schemas.handlers)).topology,
      config.applicationId,
    ),
    restoreListener: options.restoreListener,
    onUncaughtError,
    isPaused: paused,
    build,
    resources,
    openMembership: (listener) =>
      new ClassicMembership({
        config,
        inputPartitions: tasks.reduce((sum, { inputs }) => sum + inputs.length, 0),
        offsetReset: offsetResets(topology, config.applicationId, config.autoOffsetReset),
        mayGo: patterns?.matches ?? (() => false),
        logger,
        listener,
      }),
    openThreads: ({ consumerId }, listener) =>
      new ThreadPool(
        config,
        {
          moduleUrl,
          processId: directory.processId,
          consumerId,
          topics,
          heartbeats,
          ticks: ticker.ticks,
          globalStores: global?.stores ?? null,
          schemas: schemas.answers,
        },
        listener,
        (error) => logger.warn({ reason: messageOf(error) }, 'a worker failed outside its job'),
      ),
  }
  const application = new Application(parts)
  application.join()
  signal.addEventListener('abort', () => void application.close().catch(() => {}), { once: true })
  return application
}

function logBuild(logger: Logger): BuildInfo {
  const build = buildInfo()
  const { versions, coldReads } = build
  logger.info({ ...versions, coldReads: coldReads.by }, 'application starts')
  if (coldReads.by !== 'io_uring') {
    logger.warn(
      { reason: coldReads.reason },
      'io_uring cannot be used: blocks that are not in memory are read one after the other, and those of large look-ups by WEIR_READ_THREADS',
    )
  }
  return build
}

/** Fills the global stores. @throws WeirError when that fails; the signal's reason when it was aborted */
async function startGlobalThread(
  job: Omit<GlobalThreadJob, 'version'>,
  logger: Logger,
  schemas: Handlers<SchemaRequests>,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<{ thread: GlobalThread; stores: GlobalStoresHandle }> {
  const thread = new GlobalThread(job, logger, schemas)
  resources.defer(() => thread.stop())
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return { thread, stores: await Promise.race([thread.ready, aborted.promise]) }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** The main thread reads rows, too, and knows as much of schemas as it tells the others. */
function askedHere(handlers: Handlers<SchemaRequests>): SchemaThreadRequests {
  return {
    schema: async (request) => await handlers.schema(request),
    schemas: async (request) => await handlers.schemas(request),
  }
}

function moduleUrlFrom(topology: string | URL): string {
  const text = String(topology)
  return text.startsWith('file:') ? text : moduleUrlOf(text)
}
