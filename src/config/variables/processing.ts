import { OPTIMIZATIONS_ALLOWED, parseOptimization } from '../../topology/optimization.ts'
import { threadsThatFit } from '../memory.ts'
import { bytes, integer, oneOf, type ValueType } from '../value-type.ts'
import { derived, fixed, variable } from '../variable.ts'
import { zod } from '../zod.ts'
import { DAY_MS, MiB, milliseconds } from './common.ts'

const optimization: ValueType<string> = {
  get schema() {
    return zod()
      .string()
      .refine((given) => parseOptimization(given) !== null)
  },
  allowed: OPTIMIZATIONS_ALLOWED,
}

/** How records are processed, and when what came of it is committed. */
export const processingVariables = {
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
  streamThreadsMax: variable(
    {
      env: 'WEIR_STREAM_THREADS_MAX',
      group: 'Processing',
      type: integer({ min: 1, max: 256 }),
      meaning:
        'As many threads as there may be when some are added while the application runs (addStreamThread). Memory is divided by it at ' +
        'the start, whether they run or not.',
    },
    derived('WEIR_NUM_STREAM_THREADS', (known) => known.numStreamThreads),
  ),
  uncaughtError: variable(
    {
      env: 'WEIR_UNCAUGHT_ERROR',
      group: 'Processing',
      type: oneOf('stop-worker', 'replace-thread', 'stop-application'),
      meaning:
        'What follows from an error that ends a stream thread: this process stops, a new thread takes its tasks, or every process of the ' +
        'application stops. Of those that a new thread cannot mend: see lifecycle.md. onUncaughtError in code comes before it.',
    },
    fixed('stop-worker' as const),
  ),
  threadReplacementsMax: variable(
    {
      env: 'WEIR_THREAD_REPLACEMENTS_MAX',
      group: 'Processing',
      type: integer({ min: 0, max: 1_000_000 }),
      meaning:
        'After so many new threads in the place of failed ones the next error stops the process. Counted anew when all tasks have run for ten minutes.',
    },
    fixed(10),
  ),
  processingGuarantee: variable(
    {
      env: 'WEIR_PROCESSING_GUARANTEE',
      kafka: 'processing.guarantee',
      group: 'Processing',
      type: oneOf('at_least_once', 'exactly_once_v2'),
      meaning:
        'What a crash may do to results: at_least_once may double them, exactly_once_v2 does not, for those who read committed records.',
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
  transactionTimeoutMs: variable(
    {
      env: 'WEIR_TRANSACTION_TIMEOUT_MS',
      kafka: 'producer.transaction.timeout.ms',
      group: 'Processing',
      type: integer({ min: 1_000, max: 3_600_000 }),
      unit: 'ms',
      meaning:
        'Under exactly_once_v2: what is not committed after this long the broker aborts, and the tasks begin again. Longer than the slowest ' +
        'record takes; a member that takes over from one that was killed waits for it.',
    },
    fixed(10_000),
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
  topologyOptimization: variable(
    {
      env: 'WEIR_TOPOLOGY_OPTIMIZATION',
      kafka: 'topology.optimization',
      group: 'Processing',
      type: optimization,
      meaning:
        'Rewritings of the topology, for one that does not say which it wants itself. They change the internal topics: an ' +
        'application that has some already is reset when this changes.',
    },
    fixed('none'),
  ),
  topologyChanges: variable(
    {
      env: 'WEIR_TOPOLOGY_CHANGES',
      group: 'Processing',
      type: oneOf('refuse', 'accept'),
      meaning:
        'What follows when a topology has other changelogs, repartition topics or sub-topology numbers than the one that the state folder was written for: it is ' +
        'refused at the start, or accepted with a warning that tells each. See operating.md.',
    },
    fixed('refuse' as const),
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
  asyncTimeoutMs: variable(
    {
      env: 'WEIR_ASYNC_TIMEOUT_MS',
      group: 'Processing',
      type: integer({ min: 1, max: DAY_MS }),
      unit: 'ms',
      meaning:
        'How long a promise of an async processor may take; then its record has failed, and the processing handler decides. Also how long a task ' +
        'that is taken away, or a stop, waits for what is in flight, within half of WEIR_MAX_POLL_INTERVAL_MS and WEIR_SHUTDOWN_TIMEOUT_MS.',
    },
    fixed(10_000),
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
} as const
