import { type ErrorCode, type ErrorEntry, errorCodes, isErrorCode } from './codes.ts'

export interface Decision extends ErrorEntry {
  /** The row of the table. */
  readonly code: ErrorCode
  readonly exitCode: number
}

function table(rows: Readonly<Record<string, ErrorCode>>): ReadonlyMap<string, ErrorCode> {
  return new Map(Object.entries(rows))
}

/** librdkafka's error names (rd_kafka_err2name) whose meaning is known; what is not here goes by `retriable` and `fatal`. */
const kafkaCodes: ReadonlyMap<string, ErrorCode> = table({
  _TRANSPORT: 'broker-unreachable',
  _RESOLVE: 'broker-unreachable',
  _SSL: 'broker-unreachable',
  _ALL_BROKERS_DOWN: 'broker-unreachable',
  _TIMED_OUT: 'broker-unreachable',
  _TIMED_OUT_QUEUE: 'broker-unreachable',
  _WAIT_COORD: 'broker-unreachable',
  _WAIT_CACHE: 'broker-unreachable',
  // A broker that is asked leaves the cluster's list, for as long as it is away.
  _DESTROY_BROKER: 'broker-unreachable',
  _LEADER_UNKNOWN: 'broker-unreachable',
  // No broker leads a partition, or none that is known yet: one that was added a moment ago.
  _NOENT: 'broker-unreachable',
  _IN_PROGRESS: 'broker-unreachable',
  _PREV_IN_PROGRESS: 'broker-unreachable',
  _RETRY: 'broker-unreachable',
  REQUEST_TIMED_OUT: 'broker-unreachable',
  NETWORK_EXCEPTION: 'broker-unreachable',
  BROKER_NOT_AVAILABLE: 'broker-unreachable',
  REPLICA_NOT_AVAILABLE: 'broker-unreachable',
  LEADER_NOT_AVAILABLE: 'broker-unreachable',
  NOT_LEADER_FOR_PARTITION: 'broker-unreachable',
  NOT_CONTROLLER: 'broker-unreachable',
  COORDINATOR_LOAD_IN_PROGRESS: 'broker-unreachable',
  COORDINATOR_NOT_AVAILABLE: 'broker-unreachable',
  NOT_COORDINATOR: 'broker-unreachable',
  NOT_ENOUGH_REPLICAS: 'broker-unreachable',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'broker-unreachable',
  REBALANCE_IN_PROGRESS: 'broker-unreachable',
  THROTTLING_QUOTA_EXCEEDED: 'broker-unreachable',
  UNSTABLE_OFFSET_COMMIT: 'broker-unreachable',

  _AUTHENTICATION: 'authentication-failed',
  SASL_AUTHENTICATION_FAILED: 'authentication-failed',
  ILLEGAL_SASL_STATE: 'authentication-failed',
  UNSUPPORTED_SASL_MECHANISM: 'authentication-failed',
  TOPIC_AUTHORIZATION_FAILED: 'authorization-failed',
  GROUP_AUTHORIZATION_FAILED: 'authorization-failed',
  CLUSTER_AUTHORIZATION_FAILED: 'authorization-failed',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'authorization-failed',

  ILLEGAL_GENERATION: 'fenced',
  UNKNOWN_MEMBER_ID: 'fenced',
  FENCED_MEMBER_EPOCH: 'fenced',
  STALE_MEMBER_EPOCH: 'fenced',
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  _ASSIGNMENT_LOST: 'fenced',
  _FENCED: 'fenced',
  FENCED_INSTANCE_ID: 'instance-fenced',
  UNRELEASED_INSTANCE_ID: 'instance-fenced',
  INCONSISTENT_GROUP_PROTOCOL: 'group-in-use',

  _AUTO_OFFSET_RESET: 'offset-out-of-range',
  OFFSET_OUT_OF_RANGE: 'offset-out-of-range',
  _UNKNOWN_TOPIC: 'topic-missing',
  _UNKNOWN_PARTITION: 'topic-missing',
  UNKNOWN_TOPIC_OR_PART: 'topic-missing',
  UNKNOWN_TOPIC_ID: 'topic-missing',

  _MSG_TIMED_OUT: 'production-failed',
  MSG_SIZE_TOO_LARGE: 'production-failed',
  RECORD_LIST_TOO_LARGE: 'production-failed',
  INVALID_MSG: 'production-failed',
  INVALID_RECORD: 'production-failed',
})

/** RocksDB's Status codes; IOError is told apart by its text. */
const rocksdbCodes: ReadonlyMap<string, ErrorCode> = table({
  Corruption: 'state-corrupt',
  NoSpace: 'disk-full',
  Busy: 'state-dir-locked',
})

/** Node's own errors from the state folder. */
const systemCodes: ReadonlyMap<string, ErrorCode> = table({
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'state-dir-read-only',
})

function ioErrorCode(message: string): ErrorCode {
  if (/no space left|quota exceeded/i.test(message)) return 'disk-full'
  if (/read-only file system|permission denied/i.test(message)) return 'state-dir-read-only'
  if (/\block\b/i.test(message)) return 'state-dir-locked'
  return 'state-failed'
}

/** The row of the table that an error belongs to: its own code, or the translation of a native or system code. */
export function errorCodeOf(error: unknown): ErrorCode {
  const { code, message, retriable } = (error ?? {}) as {
    code?: unknown
    message?: unknown
    retriable?: unknown
  }
  if (isErrorCode(code)) return code
  if (code === 'stale') return 'state-too-old'
  if (typeof code !== 'string') return 'internal'
  if (code.startsWith('kafka:')) {
    return (
      kafkaCodes.get(code.slice('kafka:'.length)) ??
      (retriable === true ? 'broker-unreachable' : 'kafka-failed')
    )
  }
  if (code.startsWith('rocksdb:')) {
    const name = code.slice('rocksdb:'.length)
    return rocksdbCodes.get(name) ?? (name === 'IOError' ? ioErrorCode(String(message)) : 'state-failed')
  }
  return systemCodes.get(code) ?? 'internal'
}

/**
 * What the runtime does about an error. A client object that librdkafka calls fatal is never retried: it would fail again at once.
 *
 * @param error a {@link WeirError}, a NativeError (`kafka:...`, `rocksdb:...`), one of Node's, or anything else that was thrown
 */
export function decisionFor(error: unknown): Decision {
  const code = errorCodeOf(error)
  const entry: ErrorEntry = errorCodes[code]
  const fatal = (error as { fatal?: unknown } | null | undefined)?.fatal === true
  const next = fatal && entry.next === 'retry' ? 'stop' : entry.next
  return { code, what: entry.what, next, exitCode: entry.exitCode ?? 1 }
}
