/**
 * What the runtime does after an error:
 * - `retry`: the same step again, later; waiting may help.
 * - `dead-letter`: the record is skipped, by way of the dead-letter topic.
 * - `reset-state`: the task's state is set aside and restored from the beginning of its changelogs.
 * - `give-up-task`: another member owns the task; everything uncommitted is dropped and the task is closed here.
 * - `stop`: the process stops, and nothing after the failed step is committed.
 */
export type NextStep = 'retry' | 'dead-letter' | 'reset-state' | 'give-up-task' | 'stop'

export interface ErrorEntry {
  /** What happened, for the documentation and for log lines. */
  readonly what: string
  readonly next: NextStep
  /** A new thread in the place of one that this ended may do better: it begins at what was committed last. Default: false. */
  readonly newThreadMayHelp?: boolean
  /** The process's exit code when it ends because of this: 2 for what an operator gave wrongly, 1 (the default) otherwise. */
  readonly exitCode?: number
}

/** Every error that Weir names. Errors of the native core are translated to these by decision.ts. */
export const errorCodes = {
  // Found before anything is connected.
  'addon-not-loaded': { what: 'the native addon cannot be loaded on this machine', next: 'stop' },
  'config-invalid': { what: 'a setting is unknown, malformed or out of range', next: 'stop', exitCode: 2 },
  'module-not-loaded': { what: 'the topology module cannot be imported', next: 'stop', exitCode: 2 },
  'topology-invalid': {
    what: 'the module exports no topology, or one that contradicts itself',
    next: 'stop',
    exitCode: 2,
  },

  // Found when the cluster is asked about the topology's topics.
  'source-topic-missing': { what: 'a source topic does not exist', next: 'stop' },
  'topic-missing': { what: 'a topic vanished, or a sink topic does not exist', next: 'stop' },
  'topic-not-created': { what: 'the cluster refused to create an internal topic', next: 'stop' },
  'topic-not-deleted': { what: 'the cluster refused to delete an internal topic', next: 'stop' },
  'copartition-mismatch': {
    what: 'topics that are joined or merged by key differ in their partition counts',
    next: 'stop',
  },
  'changelog-partitions-wrong': {
    what: 'a changelog has another partition count than its store has tasks',
    next: 'stop',
  },
  'repartition-partitions-wrong': {
    what: 'a repartition topic has another partition count than the topology needs',
    next: 'stop',
  },
  'topic-recreated': {
    what: 'a topic was deleted and made anew while the application runs',
    next: 'stop',
  },
  'topology-changed': {
    what: "the topology's internal topics are not those that the state folder was written for",
    next: 'stop',
  },
  'partition-count-changed': { what: 'a topic got more partitions while the application runs', next: 'stop' },

  // The cluster.
  'broker-unreachable': { what: 'no broker answers, or not in time', next: 'retry', newThreadMayHelp: true },
  'authentication-failed': { what: 'the brokers refuse the credentials', next: 'stop' },
  'authorization-failed': { what: 'an ACL denies what the application needs', next: 'stop' },
  fenced: {
    what: 'the partition, or the producer, belongs to another member by now',
    next: 'give-up-task',
    newThreadMayHelp: true,
  },
  'changelog-shared': {
    what: "another member wrote to a task's changelog after this process took it over",
    next: 'give-up-task',
    newThreadMayHelp: true,
  },
  'offsets-newer': {
    what: 'a newer version of Weir has committed offsets, with metadata of a format that this one does not read',
    next: 'stop',
  },
  'instance-fenced': { what: 'another process runs with the same group.instance.id', next: 'stop' },
  'group-in-use': {
    what: 'the group has members that share out partitions in another way, such as those of Kafka Streams',
    next: 'retry',
  },
  'producer-fenced': { what: "another process uses this one's transactional.id", next: 'stop' },
  'offset-out-of-range': {
    what: "a changelog no longer holds the offset at which the task's state ends",
    next: 'reset-state',
  },
  'source-offset-out-of-range': {
    what: 'a source topic no longer holds the next offset and no offset reset applies',
    next: 'stop',
  },
  'group-active': { what: 'an application that is to be reset has active processes', next: 'stop' },
  'kafka-failed': {
    what: 'a request was refused for a reason that waiting does not cure',
    next: 'stop',
    newThreadMayHelp: true,
  },

  // The schema registry.
  'schema-registry-unreachable': {
    what: 'the schema registry does not answer, or not in time',
    next: 'retry',
    newThreadMayHelp: true,
  },
  'schema-registry-refused': { what: 'the schema registry refuses the credentials', next: 'stop' },
  'schema-missing': { what: 'a schema that is needed is not in the schema registry', next: 'stop' },
  'schema-refused': {
    what: 'the schema registry refuses a schema: it is incompatible with those before it, or invalid',
    next: 'stop',
  },

  // Cassandra.
  'cassandra-unreachable': {
    what: 'no node of Cassandra answers, or not in time',
    next: 'retry',
    newThreadMayHelp: true,
  },
  'cassandra-denied': { what: 'Cassandra refuses the credentials, or a permission is missing', next: 'stop' },
  'cassandra-schema': {
    what: 'a keyspace or a table in Cassandra is missing, or is not what the topology needs',
    next: 'stop',
  },

  // The state folder and the databases in it.
  'disk-full': { what: 'the disk under the state folder is full', next: 'stop' },
  'state-dir-read-only': { what: 'the state folder cannot be written to', next: 'stop' },
  'state-dir-locked': { what: 'another process uses the state folder', next: 'stop' },
  'state-dir-foreign': { what: 'the state folder belongs to another application', next: 'stop' },
  'state-corrupt': { what: "a task's database is damaged", next: 'reset-state', newThreadMayHelp: true },
  'changelog-recreated': {
    what: "a store's changelog is another topic than the one that its rows came from",
    next: 'reset-state',
  },
  'state-too-old': {
    what: "a task's state is so old that its changelog may have forgotten what was deleted since",
    next: 'reset-state',
  },
  'store-type-changed': {
    what: "a store's rows were written by another store type whose changelog is the same",
    next: 'reset-state',
  },
  'store-changed': {
    what: "a store's changelog was written by another store type, or by another serde",
    next: 'stop',
  },
  'state-failed': { what: 'reading or writing state failed', next: 'stop', newThreadMayHelp: true },

  // A record.
  'deserialization-failed': { what: 'a record cannot be deserialised', next: 'stop', newThreadMayHelp: true },
  'processing-failed': { what: 'a processor threw', next: 'stop', newThreadMayHelp: true },
  'async-timeout': {
    what: 'a promise of an async processor took too long',
    next: 'stop',
    newThreadMayHelp: true,
  },
  'production-failed': { what: 'a record could not be delivered', next: 'stop', newThreadMayHelp: true },

  // The process itself.
  'thread-stuck': { what: 'a stream thread stands still', next: 'stop' },
  'thread-ended': { what: 'a stream thread ended without being asked to', next: 'stop' },
  'stray-record': { what: 'a record came from a partition that no task reads: a bug in Weir', next: 'stop' },
  'shutdown-timeout': { what: 'stopping took longer than allowed', next: 'stop' },
  'stop-requested': { what: 'another process of the application asked all to stop', next: 'stop' },
  'worker-unreachable': { what: 'a worker that is to be looked at does not answer', next: 'stop' },
  closed: { what: 'something was used after it was closed', next: 'stop' },
  internal: { what: 'a bug in Weir', next: 'stop', newThreadMayHelp: true },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCodes

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}
