import { resolve } from 'node:path'

import type { CassandraSettings } from '../cassandra/cassandra-settings.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { describeMachine, type Machine } from './machine.ts'
import { divideMemory, tasksThatFit } from './memory.ts'
import { type PassThroughGroup, passThroughGroups } from './pass-through.ts'
import { rocksDbSettings } from './rocksdb-settings.ts'
import { type Environment, readSettings, type Settings } from './settings.ts'
import { type Values, type VariableKey, variables } from './variables.ts'

/**
 * The configuration from `WEIR_*` variables.
 *
 * @throws ConfigError with one line for each setting that cannot be used
 */
export function loadConfig(
  environment: Environment = process.env,
  machine: Machine = describeMachine(),
): Config {
  return toConfig(readSettings(environment, machine))
}

/** Settings given in code: the keys of the table (`numStreamThreads`), or a pass-through group by librdkafka's or RocksDB's names. */
export type ConfigInput = {
  readonly [K in VariableKey]?: Values[K]
} & { readonly [K in PassThroughGroup['key']]?: Readonly<Record<string, string>> }

/**
 * The configuration from settings given in code, over those of `environment` (none by default). The same checks hold; a line about a
 * setting names its variable.
 *
 * @throws ConfigError, also for an unknown key
 */
export function configFrom(
  input: ConfigInput,
  environment: Environment = {},
  machine: Machine = describeMachine(),
): Config {
  const merged: Record<string, string | undefined> = { ...environment }
  const unknown: string[] = []
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined || value === null) continue
    const group = passThroughGroups.find((candidate) => candidate.key === key)
    if (group !== undefined) {
      for (const [name, setting] of Object.entries(value)) {
        merged[group.prefix + name.toUpperCase().replaceAll('.', '_')] = setting
      }
    } else if (Object.hasOwn(variables, key)) {
      merged[variables[key as VariableKey].env] = String(value)
    } else {
      unknown.push(
        `${key} is no setting of Weir: expected one of ${Object.keys(variables).join(', ')}, consumer, producer, admin, rocksdb`,
      )
    }
  }
  if (unknown.length > 0) throw new ConfigError(unknown)
  return loadConfig(merged, machine)
}

/** @throws ConfigError when the settings have a problem, or do not fit into memory */
export function toConfig(settings: Settings): Config {
  const { values, passThrough, problems } = settings
  if (problems.length > 0) throw new ConfigError(problems)
  const memory = divideMemory(values.memoryBytes, values.streamThreadsMax, {
    stateCacheBytes: values.statestoreCacheMaxBytes,
    blockCacheBytes: values.rocksdbBlockCacheBytes,
    writeBufferBytes: values.rocksdbWriteBufferBytes,
  })
  const tasksFit = tasksThatFit(memory)
  if (values.tasksMax !== null && values.tasksMax > tasksFit) {
    throw new ConfigError([
      `WEIR_TASKS_MAX=${values.tasksMax}: WEIR_MEMORY_BYTES=${values.memoryBytes} holds at most ${tasksFit} tasks`,
    ])
  }
  return {
    applicationId: values.applicationId,
    bootstrapServers: values.bootstrapServers,
    clientId: values.clientId,
    applicationServer: values.applicationServer,
    stateDir: resolve(values.stateDir),
    stateCleanupDelayMs: values.stateCleanupDelayMs,
    numStreamThreads: values.numStreamThreads,
    streamThreadsMax: values.streamThreadsMax,
    uncaughtError: values.uncaughtError,
    threadReplacementsMax: values.threadReplacementsMax,
    processingGuarantee: values.processingGuarantee,
    commitIntervalMs: values.commitIntervalMs,
    transactionTimeoutMs: values.transactionTimeoutMs,
    deserializationExceptionHandler: values.deserializationExceptionHandler,
    processingExceptionHandler: values.processingExceptionHandler,
    productionExceptionHandler: values.productionExceptionHandler,
    errorsDeadLetterQueueTopicName: values.errorsDeadLetterQueueTopicName,
    taskTimeoutMs: values.taskTimeoutMs,
    asyncTimeoutMs: values.asyncTimeoutMs,
    autoOffsetReset: values.autoOffsetReset,
    groupProtocol: values.groupProtocol,
    groupInstanceId: values.groupInstanceId,
    sessionTimeoutMs: values.sessionTimeoutMs,
    maxPollIntervalMs: values.maxPollIntervalMs,
    repartitionPurgeIntervalMs: values.repartitionPurgeIntervalMs,
    replicationFactor: values.replicationFactor,
    maxTaskIdleMs: values.maxTaskIdleMs,
    topologyOptimization: values.topologyOptimization,
    topologyChanges: values.topologyChanges,
    shutdownTimeoutMs: values.shutdownTimeoutMs,
    threadStuckTimeoutMs: values.threadStuckTimeoutMs,
    batchRecordsMax: values.batchRecordsMax,
    batchBytesMax: values.batchBytesMax,
    taskUncommittedBytesMax: values.taskUncommittedBytesMax,
    readThreads: values.readThreads,
    restoreThreads: values.restoreThreads,
    rocksdbBackgroundThreads: values.rocksdbBackgroundThreads,
    rocksdbRateLimitBytesPerSecond: values.rocksdbRateLimitBytesPerSecond,
    maxOpenFilesPerTask: values.maxOpenFilesPerTask,
    tieredStoreLocalBytes: values.tieredStoreLocalBytes,
    tieredStoreBacklogBytes: values.tieredStoreBacklogBytes,
    flushEveryRecords: values.flushEveryRecords,
    flushIntervalMs: values.flushIntervalMs,
    tasksMax: values.tasksMax ?? tasksFit,
    memoryBytes: values.memoryBytes,
    memory,
    httpPort: values.httpPort,
    httpHost: values.httpHost,
    httpToken: values.httpToken,
    httpRequestsPerSecondMax: values.httpRequestsPerSecondMax,
    tracing: values.tracing,
    console: values.console,
    slowRecordMs: values.slowRecordMs,
    logLevel: values.logLevel,
    logFormat: values.logFormat,
    security: securityOf(values),
    schemaRegistry: {
      urls: listOf(values.schemaRegistryUrl),
      username: values.schemaRegistryUsername,
      password: values.schemaRegistryPassword,
      caLocation: values.schemaRegistrySslCaLocation,
      certificateLocation: values.schemaRegistrySslCertificateLocation,
      keyLocation: values.schemaRegistrySslKeyLocation,
      keyPassword: values.schemaRegistrySslKeyPassword,
      requestTimeoutMs: values.schemaRegistryRequestTimeoutMs,
      autoRegister: values.schemaAutoRegister,
    },
    cassandra: cassandraOf(values),
    ...passThrough,
    rocksdb: {
      ...rocksDbSettings(values, (key) => settings.sources[key] !== 'default'),
      ...passThrough.rocksdb,
    },
  }
}

/** By librdkafka's names. */
function securityOf(values: Values): Readonly<Record<string, string>> {
  const ssl = values.securityProtocol.endsWith('ssl')
  const settings: Record<string, string | null> = {
    'security.protocol': values.securityProtocol,
    'sasl.mechanisms': values.saslMechanism,
    'sasl.username': values.saslUsername,
    'sasl.password': values.saslPassword,
    // The OpenSSL that is linked in does not know where this system keeps its certificates: it has to look for them.
    'ssl.ca.location': ssl ? (values.sslCaLocation ?? 'probe') : null,
    'ssl.certificate.location': values.sslCertificateLocation,
    'ssl.key.location': values.sslKeyLocation,
    'ssl.key.password': values.sslKeyPassword,
    'ssl.endpoint.identification.algorithm': values.sslEndpointIdentificationAlgorithm,
  }
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

function cassandraOf(values: Values): CassandraSettings {
  return {
    contactPoints: listOf(values.cassandraContactPoints),
    localDatacenter: values.cassandraLocalDatacenter,
    keyspace: values.cassandraKeyspace,
    username: values.cassandraUsername,
    password: values.cassandraPassword,
    ssl:
      values.cassandraSsl === 'false'
        ? null
        : {
            caLocation: values.cassandraSslCaLocation,
            certificateLocation: values.cassandraSslCertificateLocation,
            keyLocation: values.cassandraSslKeyLocation,
            keyPassword: values.cassandraSslKeyPassword,
            checksHostname: values.cassandraSslEndpointIdentificationAlgorithm !== 'none',
          },
    writeConsistency: values.cassandraWriteConsistency,
    readConsistency: values.cassandraReadConsistency,
    requestTimeoutMs: values.cassandraRequestTimeoutMs,
    requestsMax: values.cassandraRequestsMax,
    queueBytes: values.cassandraQueueBytes,
  }
}

/** What stands between commas. */
function listOf(text: string | null): string[] {
  return text?.split(',').map((one) => one.trim()) ?? []
}
