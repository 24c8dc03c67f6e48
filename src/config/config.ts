import type { CassandraSettings } from '../cassandra/cassandra-settings.ts'
import type { RegistrySettings } from '../schema-registry/registry-settings.ts'
import type { OffsetReset } from '../topology/definition.ts'

/** How WEIR_MEMORY_BYTES is divided; all in bytes for the whole process. */
export interface MemoryBudget {
  /** RocksDB's block cache, to which the write buffers are charged. */
  readonly blockCacheBytes: number
  readonly writeBufferBytes: number
  /** Decoded values, all stores of all threads (WEIR_STATESTORE_CACHE_MAX_BYTES). */
  readonly stateCacheBytes: number
  /** Uncommitted overlays, all tasks. */
  readonly overlayBytes: number
  /** The consumer's fetch queues, all partitions. */
  readonly fetchQueueBytes: number
  /** Producer queues, all threads. */
  readonly producerQueueBytes: number
  /** One stream thread's V8 heap limit besides the state cache. */
  readonly heapBytesPerThread: number
  /** What no budget can count: code, stacks, batches being processed, the writes of a commit, fragmentation. */
  readonly reserveBytes: number
}

/** Everything a worker can be told, validated. One variable each in docs/configuration.md. */
export interface Config {
  readonly applicationId: string
  readonly bootstrapServers: string
  readonly clientId: string
  /** `host:port` of this process's HTTP server, as other processes of the application reach it; null: they do not. */
  readonly applicationServer: string | null
  readonly stateDir: string
  /** How long the state of a task that left stays. */
  readonly stateCleanupDelayMs: number
  readonly numStreamThreads: number
  /** At least numStreamThreads: what is divided among threads is divided by it. */
  readonly streamThreadsMax: number
  readonly uncaughtError: 'stop-worker' | 'replace-thread' | 'stop-application'
  /** Since all tasks have run for a while. */
  readonly threadReplacementsMax: number
  readonly processingGuarantee: 'at_least_once' | 'exactly_once_v2'
  readonly commitIntervalMs: number
  /** Of exactly_once_v2. */
  readonly transactionTimeoutMs: number
  /** What records do that cannot be read, processed or written, where the topology has no handler of its own. */
  readonly deserializationExceptionHandler: 'fail' | 'continue'
  readonly processingExceptionHandler: 'fail' | 'continue'
  readonly productionExceptionHandler: 'fail' | 'continue'
  /** null: none. */
  readonly errorsDeadLetterQueueTopicName: string | null
  /** How long a record is tried again at which a processor throws a RetriableError. */
  readonly taskTimeoutMs: number
  /** How long a promise of an async processor may take, and a task that goes waits for those in flight. */
  readonly asyncTimeoutMs: number
  readonly autoOffsetReset: OffsetReset
  readonly groupProtocol: 'classic' | 'consumer'
  /** null: a dynamic member. */
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly maxPollIntervalMs: number
  /** How often records that were processed are deleted from repartition topics. */
  readonly repartitionPurgeIntervalMs: number
  /** For internal topics; -1 is the broker's default. */
  readonly replicationFactor: number
  readonly maxTaskIdleMs: number
  /** `none`, `all` or rules with commas between them: for a topology that does not say itself. */
  readonly topologyOptimization: string
  /** What follows when the topology's internal topics are not those that the state folder was written for. */
  readonly topologyChanges: 'refuse' | 'accept'
  /** How long a stop may take: commit, close, leave the group. */
  readonly shutdownTimeoutMs: number
  /** A stream thread whose counter stands still longer than this is stuck. */
  readonly threadStuckTimeoutMs: number
  /** Records and arena bytes of one batch at the most. */
  readonly batchRecordsMax: number
  readonly batchBytesMax: number
  /** A task commits early when its overlays reach this. */
  readonly taskUncommittedBytesMax: number
  readonly readThreads: number
  readonly restoreThreads: number
  readonly rocksdbBackgroundThreads: number
  /** What flushes and compactions of all databases may write in a second; 0: no limit. */
  readonly rocksdbRateLimitBytesPerSecond: number
  readonly maxOpenFilesPerTask: number
  /** Of one tiered store of one task, on disk. */
  readonly tieredStoreLocalBytes: number
  readonly tieredStoreBacklogBytes: number
  readonly flushEveryRecords: number
  readonly flushIntervalMs: number
  /** As many tasks as memory is planned for; the runtime warns when it is assigned more. */
  readonly tasksMax: number
  readonly memoryBytes: number
  readonly memory: MemoryBudget
  /** 0 picks a free port, -1 is off. */
  readonly httpPort: number
  readonly httpHost: string
  /** null: none. A secret: never logged. */
  readonly httpToken: string | null
  /** Of one client. */
  readonly httpRequestsPerSecondMax: number
  readonly tracing: 'none' | 'records'
  /** The page at /console/. */
  readonly console: 'on' | 'off'
  /** A record that takes longer is logged; 0: none is. */
  readonly slowRecordMs: number
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly logFormat: 'json' | 'pretty'
  /** librdkafka's settings of every client's connection: protocol, credentials, certificates. Holds secrets: never logged. */
  readonly security: Readonly<Record<string, string>>
  /** Holds secrets: never logged. */
  readonly schemaRegistry: RegistrySettings
  /** Holds secrets: never logged. */
  readonly cassandra: CassandraSettings
  /** librdkafka settings passed through, by their own names. */
  readonly consumer: Readonly<Record<string, string>>
  readonly producer: Readonly<Record<string, string>>
  readonly admin: Readonly<Record<string, string>>
  /** RocksDB's settings for all stores, by its own names, where they are not what a database has by itself. */
  readonly rocksdb: Readonly<Record<string, string>>
}
