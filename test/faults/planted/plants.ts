import type { PlanOptions } from '../plan.ts'

/** A bug that schedules of faults have to find: `<name>.patch` beside this file puts it in. */
export interface Plant {
  readonly name: string
  readonly what: string
  /** Of the schedules that find it: the faults that it takes, and not much else. */
  readonly options: PlanOptions
}

export const plants: readonly Plant[] = [
  {
    name: 'offsets-before-flush',
    what: "At-least-once: the source's offsets are committed before outputs and changelog records are delivered. A worker that is killed between the two loses them.",
    options: {
      guarantee: 'at_least_once',
      kinds: ['worker-kill', 'worker-kill-delete-state', 'link-slow', 'broker-pause'],
    },
  },
  {
    name: 'state-before-transaction',
    what: 'Exactly once: RocksDB is written, with the offsets of the changelogs, before the transaction is committed. When that is aborted, the rows stay, and the records are counted again.',
    options: {
      guarantee: 'exactly_once_v2',
      kinds: ['link-stall', 'link-slow'],
      transactionTimeoutMs: 1_500,
    },
  },
  {
    name: 'restore-to-stable-offset',
    what: "Exactly once: a restore ends at the changelog's last stable offset. It misses what a transaction holds whose offsets are committed already, and whose end has not come to the changelog.",
    options: {
      guarantee: 'exactly_once_v2',
      kinds: ['worker-stop', 'markers-late'],
      workersMax: 3,
      // The next transaction of a thread waits for the last one's end.
      transactionTimeoutMs: 15_000,
    },
  },
  {
    name: 'commit-without-lease',
    what: 'Exactly once: a transaction is committed without a lease, and a rebalance is answered while the thread still commits. Either alone is caught by the other: a thread that is waited for commits nothing later, and one that holds a lease is waited for.',
    options: { guarantee: 'exactly_once_v2', kinds: ['worker-stop', 'link-slow', 'link-stall'] },
  },
  {
    name: 'cache-after-abort',
    what: 'Exactly once: after an abort tasks are wound back to their committed offsets with the rows that their caches hold. Only not to empty them changes nothing: an abort closes the tasks, and they are made anew.',
    options: {
      guarantee: 'exactly_once_v2',
      kinds: ['link-stall', 'link-deaf', 'link-cut'],
      transactionTimeoutMs: 1_500,
    },
  },
  {
    name: 'watermark-before-rows',
    what: 'Tiered stores: a commit says that Cassandra has rows that are still on their way. A worker that is killed before they are there has lost them: nobody writes them again, and whoever reads them reads what was before.',
    options: {
      guarantee: 'at_least_once',
      stores: 'tiered',
      // Of the same worker, mostly: its rows are still on their way when it is killed.
      kinds: ['worker-kill-delete-state', 'cassandra-stall'],
      workersMax: 2,
      loadMs: 12_000,
    },
  },
  {
    name: 'tier-without-starts',
    what: "Tiered stores: the timestamps of rows leave out how often their task has started. What a task's next owner writes is taken for older than what its former one wrote last.",
    options: {
      guarantee: 'at_least_once',
      stores: 'tiered',
      kinds: ['worker-kill', 'worker-stop', 'worker-pause'],
    },
  },
]
