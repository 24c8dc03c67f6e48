import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { SchemaRegistry } from '../schema-registry/schema-registry.ts'
import type { Application } from './application.ts'
import type { Logger } from './logger.ts'
import { type RestoreListener, restoreListenerMethods } from './restore-listener.ts'
import type { TopicAdmin } from './topic-admin.ts'
import type { UncaughtErrorHandler } from './uncaught-errors.ts'

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
 * state-dir-read-only, topology-changed, source-topic-missing, topic-missing, copartition-mismatch, changelog-partitions-wrong, repartition-partitions-wrong,
 * topic-not-created, broker-unreachable, authentication-failed, authorization-failed;
 * schema-registry-unreachable, schema-registry-refused, schema-missing, schema-refused; cassandra-unreachable, cassandra-denied, cassandra-schema; what stopped the filling of global stores; the signal's reason when it was aborted
 */
export async function startApplication(options: StartOptions): Promise<Application> {
  checkOptions(options)
  // Every stream thread imports the topology, and with it this file: what only a start needs stays out of it.
  const { launchApplication } = await import('./launch-application.ts')
  return await launchApplication(options)
}

function checkOptions(options: StartOptions): void {
  const unknown = Object.keys(options).find((key) => !knownOptions.includes(key))
  if (unknown !== undefined) {
    throw new WeirError(
      'config-invalid',
      `startApplication: unknown option ${unknown}; allowed: ${knownOptions.join(', ')}`,
    )
  }
  checkRestoreListener(options.restoreListener)
  const { onUncaughtError } = options
  if (onUncaughtError !== undefined && typeof onUncaughtError !== 'function')
    throw new WeirError('config-invalid', 'startApplication: onUncaughtError is no function')
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
