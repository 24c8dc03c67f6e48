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
  } | null
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
 * One at-least-once commit of a thread's tasks. The order is the guarantee:
 *
 *   kept-back changes forwarded -> caches into overlays -> outputs delivered, or decided on -> overlays drained into changelog records and one write batch each
 *   -> changelogs delivered -> RocksDB written, with the changelogs' offsets -> source offsets committed
 *
 * A crash before RocksDB is written leaves local state older than its changelog, which is replayed; a crash before the source offsets are
 * committed has the records processed again on newer state. Since outputs are delivered before any changelog record of theirs, that state never
 * says of an output that it was made when it was not. Nothing is produced from the drain to the write. Any failure ends the commit
 * where it is: nothing after the failed step happens.
 *
 * REQUIRES that no task processes meanwhile, and that no fetch of keys is under way.
 * @returns the changelog records produced
 */
export async function commitAtLeastOnce<T extends CommittableTask>(
  tasks: readonly T[],
  stages: CommitStages<T>,
): Promise<number> {
  const { producer, flushTimeoutMs, commitOffsets } = stages
  await handOver(tasks, stages)
  await producer.flush(flushTimeoutMs)
  await stages.settleFailed?.()
  const changelogRecords = await drain(tasks, stages)
  await writeState(tasks)
  // They say where the changelogs end by now.
  const offsets = tasks.flatMap((task) => task.offsets())
  if (offsets.length > 0) await commitOffsets(tasks, offsets)
  for (const task of tasks) task.commitDone()
  return changelogRecords
}

/**
 * One exactly-once commit of a thread's tasks (KIP-129, KIP-447): outputs, changelogs and source offsets become visible together, and only
 * what is visible reaches RocksDB:
 *
 *   kept-back changes forwarded -> caches into overlays -> outputs handed over -> overlays drained into changelog records and one write batch each
 *   -> all delivered -> source offsets into the transaction, transaction committed -> RocksDB written, with the changelogs' offsets
 *
 * A crash before the transaction is committed leaves nothing of it anywhere; a crash after it leaves local state older than its changelog,
 * which is replayed. A failure before RocksDB is written leaves what was drained in memory: it is to be dropped with the tasks.
 *
 * REQUIRES that no task processes meanwhile, that no fetch of keys is under way, and that every running task which has something to commit is
 * among them: there is one transaction for all.
 * @returns the changelog records produced
 */
export async function commitExactlyOnce<T extends CommittableTask>(
  tasks: readonly T[],
  stages: TransactionStages<T>,
): Promise<number> {
  const offsets = await handOver(tasks, stages)
  const changelogRecords = await drain(tasks, stages)
  await stages.commitTransaction(tasks, offsets)
  await writeState(tasks)
  for (const task of tasks) task.commitDone()
  return changelogRecords
}

/** Everything that tasks have kept back goes to the overlays and to the producer. @returns where their inputs stand */
async function handOver(
  tasks: readonly CommittableTask[],
  { output }: DrainStages,
): Promise<TopicPartitionOffset[]> {
  for (const task of tasks) while (!task.flushChanges()) await output.sendAll()
  for (const { state } of tasks) state?.flush()
  await output.sendAll()
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

async function writeState(tasks: readonly CommittableTask[]): Promise<void> {
  await Promise.all(tasks.map(({ state }) => state?.database.commit()))
}
