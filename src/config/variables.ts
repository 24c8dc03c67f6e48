import { resolve } from 'node:path'
import type { Machine } from './machine.ts'
import { defaultMemoryBytes, memoryBytesMin, threadsThatFit } from './memory.ts'
import { bytes, integer, oneOf, text, type ValueType } from './value-type.ts'

/** Settings that other settings' defaults are derived from. */
export interface KnownValues {
  readonly applicationId: string
  readonly processingGuarantee: string
  readonly maxPollIntervalMs: number
  readonly memoryBytes: number
}

export type DefaultValue<T> =
  | { readonly kind: 'required' }
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly value: T }
  | {
      readonly kind: 'derived'
      readonly text: string
      readonly compute: (known: KnownValues, machine: Machine) => T
    }

export type VariableGroup =
  | 'Application'
  | 'Processing'
  | 'Group'
  | 'State'
  | 'Memory'
  | 'Security'
  | 'Observation'

/** One environment variable. */
export interface Variable<T = unknown> {
  readonly env: `WEIR_${string}`
  /** What Kafka Streams or Kafka calls it; null for Weir's own. */
  readonly kafka: string | null
  readonly group: VariableGroup
  readonly type: ValueType<T>
  readonly unit: 'ms' | 'bytes' | null
  readonly default: DefaultValue<T>
  readonly meaning: string
  /** Never printed, and readable from a file by `<env>_FILE`. */
  readonly secret: boolean
}

interface VariableInput<T> {
  readonly env: `WEIR_${string}`
  readonly kafka?: string
  readonly group: VariableGroup
  readonly type: ValueType<T>
  readonly unit?: 'ms' | 'bytes'
  readonly meaning: string
  readonly secret?: true
}

function variable<T>(input: VariableInput<T>, defaultValue: DefaultValue<T>): Variable<T> {
  return { kafka: null, unit: null, secret: false, ...input, default: defaultValue }
}

const required = { kind: 'required' } as const

/** Not set: null. */
function optional<T>(input: VariableInput<T>): Variable<T | null> {
  return variable(input as unknown as VariableInput<T | null>, { kind: 'none' })
}

function fixed<T>(value: T): DefaultValue<T> {
  return { kind: 'fixed', value }
}

function derived<T>(
  described: string,
  compute: (known: KnownValues, machine: Machine) => T,
): DefaultValue<T> {
  return { kind: 'derived', text: described, compute }
}

const MiB = 2 ** 20
const DAY_MS = 86_400_000

const name = text({
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/,
  allowed: 'up to 200 letters, digits, dots, underscores and hyphens',
})
const servers = text({
  pattern: /^(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]]+):\d{1,5}(\s*,\s*(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]]+):\d{1,5})*$/,
  allowed: 'host:port, several separated by commas',
})
const milliseconds = integer({ min: 0, max: DAY_MS })

function cores(least: number, most: number): DefaultValue<number> {
  return derived(`the cores, from ${least} to ${most}`, (_, machine) =>
    Math.min(most, Math.max(least, machine.cores)),
  )
}

/**
 * Every setting, by the name it has in code, in the order of the documentation. A default is derived from settings above it only.
 * Pass-through settings (WEIR_CONSUMER_* and so on) are in pass-through.ts.
 */
export const variables = {
  applicationId: variable(
    {
      env: 'WEIR_APPLICATION_ID',
      kafka: 'application.id',
      group: 'Application',
      type: name,
      meaning: "The consumer group, the prefix of every internal topic, and the clients' default name.",
    },
    required,
  ),
  bootstrapServers: variable(
    {
      env: 'WEIR_BOOTSTRAP_SERVERS',
      kafka: 'bootstrap.servers',
      group: 'Application',
      type: servers,
      meaning: 'The brokers to ask first.',
    },
    required,
  ),
  clientId: variable(
    {
      env: 'WEIR_CLIENT_ID',
      kafka: 'client.id',
      group: 'Application',
      type: name,
      meaning: "Prefix of the clients' names, as brokers log and meter them.",
    },
    derived('WEIR_APPLICATION_ID', (known) => known.applicationId),
  ),
  shutdownTimeoutMs: variable(
    {
      env: 'WEIR_SHUTDOWN_TIMEOUT_MS',
      group: 'Application',
      type: milliseconds,
      unit: 'ms',
      meaning:
        'How long a stop may take: commit, close, leave the group. After it the process ends with exit code 1.',
    },
    fixed(30_000),
  ),

  memoryBytes: variable(
    {
      env: 'WEIR_MEMORY_BYTES',
      group: 'Memory',
      type: bytes({ min: memoryBytesMin }),
      unit: 'bytes',
      meaning: 'What the whole process may use; divided as shown under Memory.',
    },
    derived("80 % of the control group's limit; 2 GiB without one", (_, machine) =>
      defaultMemoryBytes(machine),
    ),
  ),
  statestoreCacheMaxBytes: optional({
    env: 'WEIR_STATESTORE_CACHE_MAX_BYTES',
    kafka: 'statestore.cache.max.bytes',
    group: 'Memory',
    type: bytes({ min: 0 }),
    unit: 'bytes',
    meaning: 'Decoded values of all stores of all threads, instead of the share.',
  }),
  rocksdbBlockCacheBytes: optional({
    env: 'WEIR_ROCKSDB_BLOCK_CACHE_BYTES',
    group: 'Memory',
    type: bytes({ min: 8 * MiB }),
    unit: 'bytes',
    meaning: "RocksDB's one block cache, write buffers included, instead of the share.",
  }),
  rocksdbWriteBufferBytes: optional({
    env: 'WEIR_ROCKSDB_WRITE_BUFFER_BYTES',
    group: 'Memory',
    type: bytes({ min: 4 * MiB }),
    unit: 'bytes',
    meaning:
      'Write buffers of all databases, charged to the block cache; at most three quarters of it, half by default.',
  }),
  tasksMax: optional({
    env: 'WEIR_TASKS_MAX',
    group: 'Memory',
    type: integer({ min: 1, max: 100_000 }),
    meaning:
      'As many tasks as memory is planned for: refused at the start when they do not fit, a warning when more are assigned. ' +
      'By default as many as fit.',
  }),

  numStreamThreads: variable(
    {
      env: 'WEIR_NUM_STREAM_THREADS',
      kafka: 'num.stream.threads',
      group: 'Processing',
      type: integer({ min: 1, max: 256 }),
      meaning: 'Threads that process records; tasks are divided among them.',
    },
    derived('the cores, as far as WEIR_MEMORY_BYTES holds them', (known, machine) =>
      Math.max(1, Math.min(machine.cores, threadsThatFit(known.memoryBytes), 256)),
    ),
  ),
  processingGuarantee: variable(
    {
      env: 'WEIR_PROCESSING_GUARANTEE',
      kafka: 'processing.guarantee',
      group: 'Processing',
      type: oneOf('at_least_once', 'exactly_once_v2'),
      meaning: 'What a crash may do to results. This version has at_least_once: exactly_once_v2 is refused.',
    },
    fixed('at_least_once' as const),
  ),
  commitIntervalMs: variable(
    {
      env: 'WEIR_COMMIT_INTERVAL_MS',
      kafka: 'commit.interval.ms',
      group: 'Processing',
      type: milliseconds,
      unit: 'ms',
      meaning: 'How often state and source offsets are committed; 0 commits after every batch.',
    },
    derived('30000; 100 under exactly_once_v2', (known) =>
      known.processingGuarantee === 'exactly_once_v2' ? 100 : 30_000,
    ),
  ),
  taskUncommittedBytesMax: variable(
    {
      env: 'WEIR_TASK_UNCOMMITTED_BYTES_MAX',
      group: 'Processing',
      type: bytes({ min: MiB }),
      unit: 'bytes',
      meaning: 'A task commits early when its changes since the last commit reach this.',
    },
    fixed(64 * MiB),
  ),
  maxTaskIdleMs: variable(
    {
      env: 'WEIR_MAX_TASK_IDLE_MS',
      kafka: 'max.task.idle.ms',
      group: 'Processing',
      type: integer({ min: -1, max: DAY_MS }),
      unit: 'ms',
      meaning:
        "How long a task with an empty input waits for it, so that records stay in the timestamps' order; 0 waits only for " +
        'what the broker already has, -1 never waits.',
    },
    fixed(0),
  ),
  batchRecordsMax: variable(
    {
      env: 'WEIR_BATCH_RECORDS_MAX',
      group: 'Processing',
      type: integer({ min: 1, max: 1_000_000 }),
      meaning: 'Records of one batch from one partition, at the most.',
    },
    fixed(4096),
  ),
  batchBytesMax: variable(
    {
      env: 'WEIR_BATCH_BYTES_MAX',
      group: 'Processing',
      type: bytes({ min: 64 * 1024 }),
      unit: 'bytes',
      meaning: 'Bytes of one batch, at the most; a single larger record is still read.',
    },
    fixed(4 * MiB),
  ),

  autoOffsetReset: variable(
    {
      env: 'WEIR_AUTO_OFFSET_RESET',
      kafka: 'auto.offset.reset',
      group: 'Group',
      type: oneOf('earliest', 'latest', 'none'),
      meaning:
        'Where to begin in a source partition without a committed offset; a source of the topology can say otherwise. none stops.',
    },
    fixed('earliest' as const),
  ),
  groupProtocol: variable(
    {
      env: 'WEIR_GROUP_PROTOCOL',
      kafka: 'group.protocol',
      group: 'Group',
      type: oneOf('classic', 'consumer'),
      meaning: "classic is every broker's; consumer is KIP-848's, for Kafka 4.0 and later.",
    },
    fixed('classic' as const),
  ),
  groupInstanceId: optional({
    env: 'WEIR_GROUP_INSTANCE_ID',
    kafka: 'group.instance.id',
    group: 'Group',
    type: name,
    meaning:
      'Makes this process a static member: after a restart within the session timeout it gets its tasks back without a rebalance.',
  }),
  maxPollIntervalMs: variable(
    {
      env: 'WEIR_MAX_POLL_INTERVAL_MS',
      kafka: 'max.poll.interval.ms',
      group: 'Group',
      type: integer({ min: 1_000, max: DAY_MS }),
      unit: 'ms',
      meaning: 'How long answering a rebalance may take before the group goes on without this process.',
    },
    fixed(300_000),
  ),
  sessionTimeoutMs: variable(
    {
      env: 'WEIR_SESSION_TIMEOUT_MS',
      kafka: 'session.timeout.ms',
      group: 'Group',
      type: integer({ min: 1_000, max: 3_600_000 }),
      unit: 'ms',
      meaning:
        'Without a heartbeat for this long the process is taken for dead. Under the consumer protocol the broker decides it.',
    },
    fixed(45_000),
  ),
  threadStuckTimeoutMs: variable(
    {
      env: 'WEIR_THREAD_STUCK_TIMEOUT_MS',
      group: 'Group',
      type: integer({ min: 1_000, max: DAY_MS }),
      unit: 'ms',
      meaning: 'A stream thread that stands still longer than this makes /healthz fail and ends the process.',
    },
    derived('WEIR_MAX_POLL_INTERVAL_MS', (known) => known.maxPollIntervalMs),
  ),
  replicationFactor: variable(
    {
      env: 'WEIR_REPLICATION_FACTOR',
      kafka: 'replication.factor',
      group: 'Group',
      type: integer({ min: -1, max: 32767 }),
      meaning: "Of internal topics that are created; -1 is the broker's default.",
    },
    fixed(-1),
  ),

  stateDir: variable(
    {
      env: 'WEIR_STATE_DIR',
      kafka: 'state.dir',
      group: 'State',
      type: text({ allowed: 'a path' }),
      meaning: 'Where state is kept: a local disk, one process. Relative to the working directory.',
    },
    derived('/var/lib/weir where it exists and is writable, else ./weir-state', (_, machine) =>
      machine.isWritableDirectory('/var/lib/weir')
        ? '/var/lib/weir'
        : resolve(machine.workingDirectory, 'weir-state'),
    ),
  ),
  flushEveryRecords: variable(
    {
      env: 'WEIR_FLUSH_EVERY_RECORDS',
      group: 'State',
      type: integer({ min: 1, max: 1_000_000_000 }),
      meaning:
        'A database is flushed to disk at the latest after this many changes: what a crash makes a task replay.',
    },
    fixed(1_000_000),
  ),
  flushIntervalMs: variable(
    {
      env: 'WEIR_FLUSH_INTERVAL_MS',
      group: 'State',
      type: integer({ min: 1_000, max: DAY_MS }),
      unit: 'ms',
      meaning: 'A database with unflushed changes is flushed at the latest after this long.',
    },
    fixed(3_600_000),
  ),
  readThreads: variable(
    {
      env: 'WEIR_READ_THREADS',
      group: 'State',
      type: integer({ min: 1, max: 64 }),
      meaning: 'Native threads that read keys from disk.',
    },
    cores(1, 8),
  ),
  restoreThreads: variable(
    {
      env: 'WEIR_RESTORE_THREADS',
      group: 'State',
      type: integer({ min: 1, max: 64 }),
      meaning: 'Native threads that restore state from changelogs.',
    },
    cores(1, 4),
  ),
  rocksdbBackgroundThreads: variable(
    {
      env: 'WEIR_ROCKSDB_BACKGROUND_THREADS',
      group: 'State',
      type: integer({ min: 2, max: 64 }),
      meaning: "RocksDB's threads for flushes and compactions.",
    },
    cores(2, 8),
  ),
  maxOpenFilesPerTask: variable(
    {
      env: 'WEIR_ROCKSDB_MAX_OPEN_FILES',
      group: 'State',
      type: integer({ min: 20, max: 1_000_000 }),
      meaning: "Files that one task's database keeps open.",
    },
    fixed(512),
  ),

  securityProtocol: variable(
    {
      env: 'WEIR_SECURITY_PROTOCOL',
      kafka: 'security.protocol',
      group: 'Security',
      type: oneOf('plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'),
      meaning: 'How every client connects.',
    },
    fixed('plaintext' as const),
  ),
  saslMechanism: optional({
    env: 'WEIR_SASL_MECHANISM',
    kafka: 'sasl.mechanism',
    group: 'Security',
    type: oneOf('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'),
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  saslUsername: optional({
    env: 'WEIR_SASL_USERNAME',
    kafka: 'sasl.jaas.config',
    group: 'Security',
    type: text(),
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  saslPassword: optional({
    env: 'WEIR_SASL_PASSWORD',
    kafka: 'sasl.jaas.config',
    group: 'Security',
    type: text(),
    secret: true,
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  sslCaLocation: optional({
    env: 'WEIR_SSL_CA_LOCATION',
    kafka: 'ssl.truststore.location',
    group: 'Security',
    type: text({ allowed: 'a path, or probe' }),
    meaning:
      "PEM file or folder with the certificates that brokers are checked against; the system's own when not set.",
  }),
  sslCertificateLocation: optional({
    env: 'WEIR_SSL_CERTIFICATE_LOCATION',
    kafka: 'ssl.keystore.location',
    group: 'Security',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the certificate that this process shows to brokers.',
  }),
  sslKeyLocation: optional({
    env: 'WEIR_SSL_KEY_LOCATION',
    kafka: 'ssl.keystore.location',
    group: 'Security',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the key of that certificate.',
  }),
  sslKeyPassword: optional({
    env: 'WEIR_SSL_KEY_PASSWORD',
    kafka: 'ssl.key.password',
    group: 'Security',
    type: text(),
    secret: true,
    meaning: 'Opens that key.',
  }),
  sslEndpointIdentificationAlgorithm: optional({
    env: 'WEIR_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM',
    kafka: 'ssl.endpoint.identification.algorithm',
    group: 'Security',
    type: oneOf('https', 'none'),
    meaning: "https (used when not set) checks that a broker's certificate carries its name.",
  }),

  httpPort: variable(
    {
      env: 'WEIR_HTTP_PORT',
      group: 'Observation',
      type: integer({ min: -1, max: 65535 }),
      meaning: 'Serves /metrics, /healthz and /readyz; 0 picks a free port, -1 is off.',
    },
    fixed(8080),
  ),
  httpHost: variable(
    {
      env: 'WEIR_HTTP_HOST',
      group: 'Observation',
      type: text({ pattern: /^[^\s/]+$/, allowed: 'a host name or address' }),
      meaning: 'The address to listen at; 0.0.0.0 is every one, which a container needs for its probes.',
    },
    fixed('127.0.0.1'),
  ),
  logLevel: variable(
    {
      env: 'WEIR_LOG_LEVEL',
      group: 'Observation',
      type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
      meaning: 'The least level that is logged.',
    },
    fixed('info' as const),
  ),
  logFormat: variable(
    {
      env: 'WEIR_LOG_FORMAT',
      group: 'Observation',
      type: oneOf('json', 'pretty'),
      meaning: 'One JSON object a line, or text for people.',
    },
    derived('pretty on a terminal, else json', (_, machine) =>
      machine.stdoutIsTerminal ? 'pretty' : 'json',
    ),
  ),
} as const

export type VariableKey = keyof typeof variables

/** Every setting's value by its key; null where it is optional and not set. */
export type Values = {
  -readonly [K in VariableKey]: (typeof variables)[K] extends Variable<infer T> ? T : never
}
