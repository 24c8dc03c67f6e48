import type { ClientConfig } from '../native.ts'
import { clientIdWith } from './application-server.ts'
import type { Config } from './config.ts'

const MiB = 2 ** 20

/** What librdkafka keeps for each queued record besides its bytes, rounded up. */
const queuedRecordOverheadBytes = 320

function common(config: Config, role: string): Record<string, string> {
  return {
    'bootstrap.servers': config.bootstrapServers,
    'client.id': `${config.clientId}-${role}`,
    'log.connection.close': 'false',
    ...config.security,
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)))
}

/**
 * The consumer's settings. Offsets are the runtime's: it commits them itself and says where to read, so an offset that is out of range is an
 * error and never a silent jump.
 *
 * @param inputPartitions how many partitions may be assigned: each gets an equal part of the fetch queues' memory. Left out, the queues'
 * limit is librdkafka's.
 */
export function consumerConfig(config: Config, inputPartitions?: number): ClientConfig {
  const fetchBytes = clamp(config.memory.fetchQueueBytes / 4, MiB, 50 * MiB)
  return {
    ...common(config, 'consumer'),
    'client.id': clientIdWith(`${config.clientId}-consumer`, config.applicationServer),
    'group.id': config.applicationId,
    ...membership(config),
    'max.poll.interval.ms': String(config.maxPollIntervalMs),
    'enable.auto.commit': 'false',
    'enable.auto.offset.store': 'false',
    'auto.offset.reset': 'error',
    // Tells an end from records that are still to come: a task with several inputs waits for the latter only.
    'enable.partition.eof': 'true',
    'allow.auto.create.topics': 'false',
    'isolation.level':
      config.processingGuarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted',
    'check.crcs': 'true',
    'fetch.max.bytes': String(fetchBytes),
    'fetch.message.max.bytes': String(Math.min(fetchBytes, MiB)),
    // A full queue is asked again after this long: librdkafka's second would leave small queues empty.
    'fetch.queue.backoff.ms': '10',
    ...(inputPartitions === undefined
      ? {}
      : { 'queued.max.messages.kbytes': queueKibibytes(config.memory.fetchQueueBytes, inputPartitions) }),
    ...config.consumer,
  }
}

/** `range` under both protocols: it keeps co-partitioned topics together. Under KIP-848 the broker owns the timeouts and librdkafka
 * refuses to be told. */
function membership(config: Config): Record<string, string> {
  const instance = config.groupInstanceId === null ? {} : { 'group.instance.id': config.groupInstanceId }
  if (config.groupProtocol === 'consumer') {
    return { 'group.protocol': 'consumer', 'group.remote.assignor': 'range', ...instance }
  }
  return {
    'group.protocol': 'classic',
    'partition.assignment.strategy': 'range',
    'session.timeout.ms': String(config.sessionTimeoutMs),
    'heartbeat.interval.ms': String(clamp(config.sessionTimeoutMs / 15, 100, 3_000)),
    ...instance,
  }
}

function queueKibibytes(bytes: number, partitions: number): string {
  return String(clamp(bytes / 1024 / Math.max(1, partitions), 64, 2_097_151))
}

/**
 * One stream thread's producer, or the one of another `role`: idempotent, every in-sync replica, records by Kafka's own partitioner. The
 * queue has the thread's part of the producers' memory, half of it for what librdkafka keeps besides the bytes.
 *
 * @param processId of the state folder: under exactly_once_v2 it is part of the thread's transactional.id, so that a process which comes back
 * with its disk ends what it left open
 */
export function producerConfig(config: Config, threadIndex: number, processId = ''): ClientConfig {
  const queueBytes = config.memory.producerQueueBytes / config.streamThreadsMax / 2
  // librdkafka refuses a queue that is smaller than the largest record.
  const queueKibibytesMin = Math.ceil((Number(config.producer['message.max.bytes']) || MiB) / 1024)
  return {
    ...common(config, `producer-${threadIndex}`),
    'linger.ms': '100',
    'compression.codec': 'lz4',
    'batch.size': String(MiB),
    'batch.num.messages': '100000',
    'message.timeout.ms': '120000',
    'sticky.partitioning.linger.ms': '100',
    ...transactions(config, threadIndex, processId),
    ...config.producer,
    'enable.idempotence': 'true',
    acks: 'all',
    partitioner: 'murmur2_random',
    'allow.auto.create.topics': 'false',
    'queue.buffering.max.kbytes': String(clamp(queueBytes / 1024, queueKibibytesMin, 2_147_483_647)),
    'queue.buffering.max.messages': String(clamp(queueBytes / queuedRecordOverheadBytes, 10_000, 10_000_000)),
  }
}

/** librdkafka's default of message.max.bytes, and what it counts of a record besides its key, value and headers. */
const RECORD_BYTES_MAX = 1_000_000
const RECORD_OVERHEAD_BYTES = 36

/** How large a record a stream thread's producer takes, in bytes of its key, value and headers. */
export function recordBytesMax(config: Pick<Config, 'producer'>): number {
  return (Number(config.producer['message.max.bytes']) || RECORD_BYTES_MAX) - RECORD_OVERHEAD_BYTES
}

function transactions(config: Config, threadIndex: number, processId: string): Record<string, string> {
  if (config.processingGuarantee !== 'exactly_once_v2') return {}
  return {
    'transactional.id': `${config.applicationId}-${processId}-${threadIndex}`,
    'transaction.timeout.ms': String(config.transactionTimeoutMs),
    // What cannot be delivered before the broker aborts need not be.
    'message.timeout.ms': String(config.transactionTimeoutMs),
  }
}

export function adminConfig(config: Config): ClientConfig {
  return { ...common(config, 'admin'), ...config.admin }
}

/**
 * The consumers that restore state: outside the group (its name is there for the brokers' ACLs only, nothing is committed), committed records
 * only, up to the end that they are told of. The restorer sets their queues by its memory.
 */
export function restoreConfig(config: Config): ClientConfig {
  return {
    ...common(config, 'restore'),
    'group.id': config.applicationId,
    'check.crcs': 'true',
    'fetch.queue.backoff.ms': '10',
    'fetch.message.max.bytes': String(MiB),
    ...config.consumer,
    'enable.auto.commit': 'false',
    'enable.auto.offset.store': 'false',
    'auto.offset.reset': 'error',
    'allow.auto.create.topics': 'false',
    'isolation.level': 'read_committed',
    'enable.partition.eof': 'true',
  }
}

/**
 * The consumer that fills global stores: outside the group, as those that restore, with the isolation of the group's.
 *
 * @param partitions that it reads: they share the memory of one stream thread's fetch queues
 */
export function globalConsumerConfig(config: Config, partitions: number): ClientConfig {
  const bytes = config.memory.fetchQueueBytes / config.streamThreadsMax
  return {
    ...restoreConfig(config),
    'client.id': `${config.clientId}-global`,
    'isolation.level':
      config.processingGuarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted',
    'queued.max.messages.kbytes': queueKibibytes(bytes, partitions),
  }
}

/** What all restores together may take for records on their way: half of what they share with the overlays. */
export function restoreMemoryBytes(config: Config): number {
  return Math.floor(config.memory.overlayBytes / 2)
}
