/** Settings handed to librdkafka and RocksDB under their own names, by rule instead of by table. */

export interface PassThroughGroup {
  readonly prefix: `WEIR_${string}_`
  readonly key: 'consumer' | 'producer' | 'admin' | 'rocksdb'
  readonly target: string
  /** The setting's own name from the rest of the variable's. */
  nameOf(rest: string): string
}

function dotted(rest: string): string {
  return rest.toLowerCase().replaceAll('_', '.')
}

export const passThroughGroups: readonly PassThroughGroup[] = [
  { prefix: 'WEIR_CONSUMER_', key: 'consumer', target: "librdkafka's consumers", nameOf: dotted },
  { prefix: 'WEIR_PRODUCER_', key: 'producer', target: "librdkafka's producers", nameOf: dotted },
  { prefix: 'WEIR_ADMIN_', key: 'admin', target: "librdkafka's admin client", nameOf: dotted },
  {
    prefix: 'WEIR_ROCKSDB_',
    key: 'rocksdb',
    target: "RocksDB's databases",
    nameOf: (rest) => rest.toLowerCase(),
  },
]

/** librdkafka's second names; one name each, so that a setting replaces the default whatever it is called. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['metadata.broker.list', 'bootstrap.servers'],
  ['max.in.flight', 'max.in.flight.requests.per.connection'],
  ['sasl.mechanism', 'sasl.mechanisms'],
  ['max.partition.fetch.bytes', 'fetch.message.max.bytes'],
  ['queue.buffering.max.ms', 'linger.ms'],
  ['message.send.max.retries', 'retries'],
  ['compression.type', 'compression.codec'],
  ['request.required.acks', 'acks'],
  ['delivery.timeout.ms', 'message.timeout.ms'],
])

export function canonicalName(name: string): string {
  return aliases.get(name) ?? name
}

const everyClient: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'use WEIR_BOOTSTRAP_SERVERS',
  'client.id': 'use WEIR_CLIENT_ID',
  'security.protocol': 'use WEIR_SECURITY_PROTOCOL',
  'sasl.mechanisms': 'use WEIR_SASL_MECHANISM',
  'sasl.username': 'use WEIR_SASL_USERNAME',
  'sasl.password': 'use WEIR_SASL_PASSWORD',
  'ssl.ca.location': 'use WEIR_SSL_CA_LOCATION',
  'ssl.certificate.location': 'use WEIR_SSL_CERTIFICATE_LOCATION',
  'ssl.key.location': 'use WEIR_SSL_KEY_LOCATION',
  'ssl.key.password': 'use WEIR_SSL_KEY_PASSWORD',
  'ssl.endpoint.identification.algorithm': 'use WEIR_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM',
  'test.mock.num.brokers': 'it replaces the brokers; use weir demo',
  'log.queue': 'Weir reads the log itself',
  'enabled.events': 'Weir reads the events itself',
}

/** What a guarantee or a limit rests on, with what to do instead. */
const forbidden: Readonly<Record<PassThroughGroup['key'], ReadonlyMap<string, string>>> = {
  consumer: table({
    ...everyClient,
    'group.id': 'use WEIR_APPLICATION_ID',
    'group.instance.id': 'use WEIR_GROUP_INSTANCE_ID',
    'group.protocol': 'use WEIR_GROUP_PROTOCOL',
    'session.timeout.ms': 'use WEIR_SESSION_TIMEOUT_MS',
    'max.poll.interval.ms': 'use WEIR_MAX_POLL_INTERVAL_MS',
    'auto.offset.reset': 'use WEIR_AUTO_OFFSET_RESET',
    'enable.auto.commit': 'Weir commits offsets together with the state they belong to',
    'auto.commit.interval.ms': 'Weir commits offsets together with the state they belong to',
    'enable.auto.offset.store': 'Weir commits offsets together with the state they belong to',
    'offset.store.method': 'Weir commits offsets together with the state they belong to',
    'partition.assignment.strategy': 'only range keeps co-partitioned topics together',
    'group.remote.assignor': 'only range keeps co-partitioned topics together',
    'group.protocol.type': 'another type is another kind of group',
    'enable.partition.eof': 'Weir follows the ends of partitions itself',
    'queued.max.messages.kbytes': 'it is a share of WEIR_MEMORY_BYTES',
    'allow.auto.create.topics': 'a missing source topic must be an error',
  }),
  producer: table({
    ...everyClient,
    'enable.idempotence': 'without it a retry could lose, double or reorder a changelog',
    acks: 'a changelog needs every in-sync replica',
    retries: 'a retry that is not made is a lost record',
    'max.in.flight.requests.per.connection': 'more than five could reorder a changelog',
    'enable.gapless.guarantee': 'a failed delivery stops the process already',
    partitioner: "keys must go where Kafka Streams' partitioner puts them",
    'transactional.id': 'Weir names its transactions itself',
    'transaction.timeout.ms': 'use WEIR_TRANSACTION_TIMEOUT_MS',
    'delivery.report.only.error': 'a commit counts the deliveries',
    'queue.buffering.max.messages': 'it is a share of WEIR_MEMORY_BYTES',
    'queue.buffering.max.kbytes': 'it is a share of WEIR_MEMORY_BYTES',
    'allow.auto.create.topics': 'a missing sink topic must be an error',
  }),
  admin: table(everyClient),
  rocksdb: table({
    comparator: 'scans rest on the order of bytes',
    merge_operator: 'a merge would change what is stored',
    compaction_filter: 'it would drop state',
    compaction_filter_factory: 'it would drop state',
    min_write_buffer_number_to_merge: 'flushes are atomic over the families, which sets it to 1',
    prefix_extractor: 'scans rest on the order of bytes',
    memtable_factory: 'scans rest on the order of bytes',
    table_factory: 'use the settings of block-based tables, such as WEIR_ROCKSDB_BLOCK_SIZE',
    plain_table_factory: 'use the settings of block-based tables, such as WEIR_ROCKSDB_BLOCK_SIZE',
    inplace_update_support: 'a crash would leave rows without the offset that they belong to',
    atomic_flush: 'a crash would leave rows without the offset that they belong to',
    wal_dir: 'there is no write-ahead log',
    db_log_dir: "a task's state is one folder",
    persist_user_defined_timestamps: 'keys have no timestamps',
    create_if_missing: 'a new task has no database yet',
    create_missing_column_families: 'a new store has no family yet',
    error_if_exists: 'state is there to be opened again',
    avoid_flush_during_shutdown: 'Weir flushes at a close itself',
    max_background_jobs: 'use WEIR_ROCKSDB_BACKGROUND_THREADS',
    max_background_compactions: 'use WEIR_ROCKSDB_BACKGROUND_THREADS',
    max_background_flushes: 'use WEIR_ROCKSDB_BACKGROUND_THREADS',
    block_cache: 'use WEIR_ROCKSDB_BLOCK_CACHE_BYTES',
    no_block_cache: 'use WEIR_ROCKSDB_BLOCK_CACHE_BYTES',
    db_write_buffer_size: 'use WEIR_ROCKSDB_WRITE_BUFFER_BYTES',
    rate_limiter: 'use WEIR_ROCKSDB_RATE_LIMITER_BYTES_PER_SEC',
    statistics: 'Weir keeps them itself',
  }),
}

function table(rows: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(rows))
}

/** Why a setting cannot be passed through; null when it can. */
export function whyForbidden(
  group: PassThroughGroup['key'],
  name: string,
  value: string,
  guarantee: string,
): string | null {
  if (group === 'rocksdb' && name === 'compaction_style' && /fifo/i.test(value)) return 'it would drop state'
  if (group === 'consumer' && name === 'isolation.level' && guarantee === 'exactly_once_v2') {
    return 'exactly_once_v2 reads committed records only'
  }
  return forbidden[group].get(name) ?? null
}

/** Every name that is forbidden, for the documentation. */
export function forbiddenNames(
  group: PassThroughGroup['key'],
): readonly (readonly [name: string, why: string])[] {
  return [...forbidden[group]]
}

/** True for a setting whose value must not be printed. */
export function isSecretName(name: string): boolean {
  return /(^|\.)(password|passphrase|secret|pem)$/.test(name)
}
