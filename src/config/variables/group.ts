import { integer, oneOf } from '../value-type.ts'
import { derived, fixed, optional, variable } from '../variable.ts'
import { DAY_MS, name } from './common.ts'

/** The consumer group, and what the process owes it. */
export const groupVariables = {
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
      'Makes this process a static member: after a restart within the session timeout it gets its tasks back without a rebalance. Under the ' +
      'consumer protocol that holds for one that was stopped; the broker refuses the successor of a killed one until the session has timed out.',
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
  repartitionPurgeIntervalMs: variable(
    {
      env: 'WEIR_REPARTITION_PURGE_INTERVAL_MS',
      kafka: 'repartition.purge.interval.ms',
      group: 'Group',
      type: integer({ min: 1, max: DAY_MS }),
      unit: 'ms',
      meaning: 'How often what was processed is deleted from repartition topics.',
    },
    fixed(30_000),
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
} as const
