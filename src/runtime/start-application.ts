import { createRequire } from 'node:module'
import { checkRocksDb } from '../config/check-rocksdb.ts'
import { adminConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Admin, StateMemory, versions } from '../native.ts'
import { createLogger } from '../observe/logger.ts'
import { openTelemetryTracer } from '../observe/open-telemetry.ts'
import type { SchemaRegistry } from '../schema-registry/schema-registry.ts'
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
import { type RestoreListener, restoreListenerMethods } from './restore-listener.ts'
import { openSchemas } from './schemas/open-schemas.ts'
import { StateDirectory } from './state-directory.ts'
import { stateMemoryOptions } from './state-memory-options.ts'
import { ThreadPool } from './thread-pool.ts'
import { tierChangelogs } from './tier-watermarks.ts'
import type { TopicAdmin } from './topic-admin.ts'
import type { UncaughtErrorHandler } from './uncaught-errors.ts'

const START_TIMEOUT_MS = 30_000

export interface StartOptions {
  /**
   * The module whose default export is the topology: a file URL (`import.meta.url`, `new URL('./segments.ts', import.meta.url)`) or a path,
   * relative to the working directory. Every stream thread imports it: a topology's functions cannot be handed to another thread.
   */
  readonly topology: string | URL
  /** From `loadConfig()` or `configFrom({...})`. Default: `loadConfig()`, the `WEIR_*` variables. */
  readonly config?: Config
  /** A pino logger, or anything like it. Default: standard output, as WEIR_LOG_LEVEL and WEIR_LOG_FORMAT say. */
  readonly logger?: Logger
  /** How topics are looked up and created. Default: by requests to the brokers. The mock cluster needs its own: `mockTopicAdmin`. */
  readonly topicAdmin?: TopicAdmin
  /** In the place of the one at WEIR_SCHEMA_REGISTRY_URL: a `LocalSchemaRegistry`, for demos. Default: that one. */
  readonly schemaRegistry?: SchemaRegistry
  /** Is told how stores are restored. Default: none; the log and the metrics tell it too. */
  readonly restoreListener?: RestoreListener
  /**
   * Decides what follows from an error that ends a stream thread, or concerns the whole process: see docs/lifecycle.md. Default: what
   * WEIR_UNCAUGHT_ERROR says.
   */
  readonly onUncaughtError?: UncaughtErrorHandler
  /** Begins paused: joins the group and restores, and processes from `resume()` on. Default: false. */
  readonly paused?: boolean
  /** How long brokers, or Cassandra, may be unreachable at the start, ms. Default: 30,000. */
  readonly startTimeoutMs?: number
  /** Ends the start, or later the application, as `close()` does. */
  readonly signal?: AbortSignal
}

const knownOptions = [
  'topology',
  'config',
  'logger',
  'topicAdmin',
  'schemaRegistry',
  'restoreListener',
  'onUncaughtError',
  'paused',
  'startTimeoutMs',
  'signal',
]

/**
 * Runs a topology: looks its topics up, creates the internal ones, fills the global stores, starts the stream threads and joins the group.
 *
 * @returns the application once it has joined; it is `rebalancing` then, and `running` when its tasks run
 * @throws WeirError with one line, everything closed again: module-not-loaded, topology-invalid, state-dir-locked, state-dir-foreign,
 * state-dir-read-only, source-topic-missing, topic-missing, copartition-mismatch, changelog-partitions-wrong, repartition-partitions-wrong,
 * topic-not-created, broker-unreachable, authentication-failed, authorization-failed;
 * schema-registry-unreachable, schema-registry-refused, schema-missing, schema-refused; cassandra-unreachable, cassandra-denied, cassandra-schema; what stopped the filling of global stores; the signal's reason when it was aborted
 */
export async function startApplication(options: StartOptions): Promise<Application> {
  const unknown = Object.keys(options).find((key) => !knownOptions.includes(key))
  if (unknown !== undefined) {
    throw new WeirError(
      'config-invalid',
      `startApplication: unknown option ${unknown}; allowed: ${knownOptions.join(', ')}`,
    )
  }
  checkRestoreListener(options.restoreListener)
  const { onUncaughtError, paused = false } = options
  if (onUncaughtError !== undefined && typeof onUncaughtError !== 'function')
    throw new WeirError('config-invalid', 'startApplication: onUncaughtError is no function')
  const { startTimeoutMs = START_TIMEOUT_MS, signal = new AbortController().signal } = options
  const config = options.config ?? loadConfig()
  const logger = options.logger ?? createLogger(config)
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
  const admin: TopicAdmin = options.topicAdmin ?? new Admin(adminConfig(config))
  resources.defer(() => admin.close())
  signal.throwIfAborted()

  const planning = { config, admin, logger, signal, timeoutMs: startTimeoutMs }
  const plan = await planApplication(topology, planning).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
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
    restoreListener: options.restoreListener,
    onUncaughtError,
    isPaused: paused,
    versions: { weir: packageVersion(), native: versions() },
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

/** A misspelt method would never be called. */
function checkRestoreListener(listener: object = {}): void {
  const methods: readonly string[] = restoreListenerMethods
  const isClass = Object.getPrototypeOf(listener) !== Object.prototype
  const wrong = Object.entries(listener).find(
    ([name, value]) =>
      (!isClass && !methods.includes(name)) || (methods.includes(name) && typeof value !== 'function'),
  )
  if (wrong === undefined) return
  throw new WeirError(
    'config-invalid',
    `startApplication: restoreListener.${wrong[0]} is no method of a listener; it may have ${methods.join(', ')}`,
  )
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

function moduleUrlFrom(topology: string | URL): string {
  const text = String(topology)
  return text.startsWith('file:') ? text : moduleUrlOf(text)
}

/** The package's own, two folders up in the sources as in the package. */
function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
  return version
}
