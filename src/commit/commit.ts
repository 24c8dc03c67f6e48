import type { RefusedRow, TaskRows } from '../cassandra/row-write.ts'
import type { Producer, TaskDatabase, TopicPartitionOffset } from '../native.ts'
import type { OutputBatch } from '../produce/output-batch.ts'

/** What a commit needs of a task. */
export interface CommittableTask {
  /** null: a task without stores. */
  readonly state: {
    readonly database: Pick<TaskDatabase, 'drain' | 'commit'>
    flush(): void
    /** Of what the rows are made: for stores that are restored from an input. */
    readTo(offsets: readonly TopicPartitionOffset[]): void
    /** After a commit: what waited for it goes on to a second tier, and what need not be kept here goes. Default: nothing does. */
    committed?(): Promise<void>
  } | null
  /** Its rows for Cassandra. Default: it has none. */
  readonly rows?: Pick<TaskRows, 'isFull' | 'takeRefused' | 'settled' | 'hasRoom'> | null
  /** Forwards what caching stores have kept back, until the output is full. @returns true when nothing is left */
  flushChanges(): boolean
  /** Where its inputs stand. */
  offsets(): readonly TopicPartitionOffset[]
  commitDone(): void
}

/** Where what tasks have changed goes at a commit. */
export interface DrainStages {
  readonly producer: Producer
  readonly output: OutputBatch
  /** How long the producer may take to deliver what it holds, ms. */
  readonly flushTimeoutMs: number
  /** How long rows for Cassandra are waited for, ms; a task that has some left is not committed. Default: not at all. */
  readonly rowsTimeoutMs?: number
  /** Decides on rows that were refused; dead letters are handed over. REQUIRED where tasks have rows. */
  readonly settleRows?: ((refused: readonly RefusedRow[]) => Promise<void>) | undefined
}

export interface CommitStages<T extends CommittableTask> extends DrainStages {
  /** Hands source offsets to the owner of the group, who refuses them when a task is no longer ours. */
  readonly commitOffsets: (tasks: readonly T[], offsets: readonly TopicPartitionOffset[]) => Promise<void>
  /** What brokers have refused of the outputs is decided on. Default: it has ended the flush. */
  readonly settleFailed?: (() => Promise<void>) | undefined
}

export interface TransactionStages<T extends CommittableTask> extends DrainStages {
  /** Commits the transaction with these offsets in it. When it throws, what it holds is not committed, or by a producer that came after. */
  readonly commitTransaction: (tasks: readonly T[], offsets: readonly TopicPartitionOffset[]) => Promise<void>
}

/**
 * One at-least-once commit of some of a thread's tasks. The order is the guarantee:
 *
 *   kept-back changes forwarded -> caches into overlays -> outputs delivered, or decided on -> rows written to Cassandra, or decided on
 *   -> overlays drained into changelog records and one write batch each -> changelogs delivered -> RocksDB written, with the changelogs' offsets -> source offsets committed
 *   -> changes of tiered stores on their way to Cassandra
 *
 * A crash before RocksDB is written leaves local state older than its changelog, which is replayed; a crash before the source offsets are
 * committed has the records processed again on newer state. Since outputs are delivered before any changelog record of theirs, that state never
 * says of an output that it was made when it was not. Nothing is produced from the drain to the write. Any failure ends the commit
 * where it is: nothing after the failed step happens. A task whose rows cannot be written at this time is left out, and committed later: others do not wait for it.
 *
 * REQUIRES that no task of the thread processes meanwhile, and that no fetch of keys is under way for these.
 * @returns the changelog records produced
 */
export async function commitAtLeastOnce<T extends CommittableTask>(
  tasks: readonly T[],
  stages: CommitStages<T>,
): Promise<number> {
  const { producer, flushTimeoutMs, commitOffsets } = stages
  const forwarded = await handOver(tasks, stages)
  await producer.flush(flushTimeoutMs)
  await stages.settleFailed?.()
  const whole = await writeRows(forwarded, stages)
  readTo(whole)
  const changelogRecords = await drain(whole, stages)
  await writeState(whole)
  // They say where the changelogs end by now.
  const offsets = whole.flatMap((task) => task.offsets())
  if (offsets.length > 0) await commitOffsets(whole, offsets)
  for (const { state } of whole) await state?.committed?.()
  for (const task of whole) task.commitDone()
  return changelogRecords
}

/**
 * One exactly-once commit of a thread's tasks (KIP-129, KIP-447): outputs, changelogs and source offsets become visible together, and only
 * what is visible reaches RocksDB:
 *
 *   kept-back changes forwarded -> caches into overlays -> outputs handed over -> rows written to Cassandra, or decided on
 *   -> overlays drained into changelog records and one write batch each -> all delivered -> source offsets into the transaction, transaction committed -> RocksDB written, with the changelogs' offsets
 *   -> changes of tiered stores on their way to Cassandra
 *
 * A crash before the transaction is committed leaves nothing of it anywhere; a crash after it leaves local state older than its changelog,
 * which is replayed. A failure before RocksDB is written leaves what was drained in memory: it is to be dropped with the tasks. A task with rows puts out nothing else (see
 * topology/cassandra-sinks.ts): when they cannot be written at this time, the others' transaction is committed without it.
 *
 * REQUIRES that no task processes meanwhile, that no fetch of keys is under way, and that every running task which has something to commit is
 * among them: there is one transaction for all.
 * @returns the changelog records produced
 */
export async function commitExactlyOnce<T extends CommittableTask>(
  tasks: readonly T[],
  stages: TransactionStages<T>,
): Promise<number> {
  const whole = await writeRows(await handOver(tasks, stages), stages)
  if (whole.length === 0) return 0
  const offsets = readTo(whole)
  const changelogRecords = await drain(whole, stages)
  await stages.commitTransaction(whole, offsets)
  await writeState(whole)
  for (const { state } of whole) await state?.committed?.()
  for (const task of whole) task.commitDone()
  return changelogRecords
}

/** Everything that tasks have kept back goes to the overlays, to the producer and to Cassandra. @returns those of which nothing is left */
async function handOver<T extends CommittableTask>(tasks: readonly T[], stages: DrainStages): Promise<T[]> {
  const forwarded: T[] = []
  for (const task of tasks) if (await hasForwarded(task, stages)) forwarded.push(task)
  for (const { state } of forwarded) state?.flush()
  await stages.output.sendAll()
  return forwarded
}

/** @returns false when there is no room for rows */
async function hasForwarded(task: CommittableTask, stages: DrainStages): Promise<boolean> {
  const { output, rowsTimeoutMs = 0 } = stages
  const { rows } = task
  while (!task.flushChanges()) {
    await output.sendAll()
    if (rows?.isFull !== true) continue
    await stages.settleRows?.(rows.takeRefused())
    if (!(await rows.hasRoom(rowsTimeoutMs))) return false
  }
  return true
}

/** @returns the tasks whose rows are in Cassandra, or were decided on */
async function writeRows<T extends CommittableTask>(tasks: readonly T[], stages: DrainStages): Promise<T[]> {
  const { rowsTimeoutMs = 0 } = stages
  const endMs = Date.now() + rowsTimeoutMs
  const whole: T[] = []
  for (const task of tasks) {
    const { rows } = task
    if (rows !== undefined && rows !== null) {
      if (!(await rows.settled(Math.max(0, endMs - Date.now())))) continue
      await stages.settleRows?.(rows.takeRefused())
    }
    whole.push(task)
  }
  return whole
}

/** Tells the tasks' state where their inputs stand. @returns that */
function readTo(tasks: readonly CommittableTask[]): TopicPartitionOffset[] {
  return tasks.flatMap((task) => {
    const positions = task.offsets()
    task.state?.readTo(positions)
    return positions
  })
}

/** The overlays' changes are delivered to the changelogs. @returns how many */
async function drain(
  tasks: readonly CommittableTask[],
  { producer, flushTimeoutMs }: DrainStages,
): Promise<number> {
  let changelogRecords = 0
  for (const { state } of tasks) {
    if (state !== null) changelogRecords += (await state.database.drain(producer)).records
  }
  await producer.flush(flushTimeoutMs)
  return changelogRecords
}

/** @throws the first error, when no database is written any more: whoever handles it may drop the tasks at once */
async function writeState(tasks: readonly CommittableTask[]): Promise<void> {
  const written = await Promise.allSettled(tasks.map(({ state }) => state?.database.commit()))
  for (const result of written) if (result.status === 'rejected') throw result.reason
}
