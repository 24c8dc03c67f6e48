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

export interface CommitStages<T extends CommittableTask> {
  readonly producer: Producer
  readonly output: OutputBatch
  /** How long the producer may take to deliver what it holds, ms. */
  readonly flushTimeoutMs: number
  /** Hands source offsets to the owner of the group, who refuses them when a task is no longer ours. */
  readonly commitOffsets: (tasks: readonly T[], offsets: readonly TopicPartitionOffset[]) => Promise<void>
}

/**
 * One at-least-once commit of a thread's tasks. The order is the guarantee:
 *
 *   kept-back changes forwarded -> caches into overlays -> outputs handed over -> overlays drained into changelog records and one write batch each
 *   -> everything delivered -> RocksDB written, with the changelog's offsets -> source offsets committed
 *
 * A crash before RocksDB is written leaves local state older than its changelog, which is replayed; a crash before the source offsets are
 * committed has the records processed again on newer state. Nothing is produced from the drain to the write. Any failure ends the commit
 * where it is: nothing after the failed step happens.
 *
 * REQUIRES that no task processes meanwhile, and that no fetch of keys is under way.
 * @returns the changelog records produced
 */
export async function commitAtLeastOnce<T extends CommittableTask>(
  tasks: readonly T[],
  stages: CommitStages<T>,
): Promise<number> {
  const { producer, output, flushTimeoutMs, commitOffsets } = stages
  const states = tasks.flatMap(({ state }) => (state === null ? [] : [state]))
  for (const task of tasks) while (!task.flushChanges()) await output.sendAll()
  for (const state of states) state.flush()
  await output.sendAll()
  const offsets = tasks.flatMap((task) => {
    const positions = task.offsets()
    task.state?.readTo(positions)
    return positions
  })
  let changelogRecords = 0
  for (const state of states) changelogRecords += (await state.database.drain(producer)).records
  await producer.flush(flushTimeoutMs)
  await Promise.all(states.map((state) => state.database.commit()))
  if (offsets.length > 0) await commitOffsets(tasks, offsets)
  for (const task of tasks) task.commitDone()
  return changelogRecords
}
