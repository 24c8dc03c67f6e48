import { WeirError } from '../../errors/weir-error.ts'
import type { TaskId } from '../protocol.ts'

/** A task under the epoch at which a thread was given it. */
export interface TaskEpoch {
  readonly id: TaskId
  readonly epoch: number
}

/** The right to commit for some tasks, from its check to its end. */
export interface Lease {
  /** False once one of its tasks was fenced: what is still to be sent must not be sent. */
  readonly valid: boolean
  end(): void
}

/**
 * Who may commit what. Kafka fences a member, not a partition: offsets of a partition that went elsewhere are accepted from a member that
 * lives. So each hand-out of a task has an epoch of its own, a commit holds a lease on its tasks' epochs, and a task leaves this
 * process only when no lease on it is open.
 *
 *   grant (a new epoch) -> { begin -> end }* -> fence -> settled
 *
 * Invariants:
 * 1. No lease begins for a task under an epoch that is not its newest, or after it was fenced.
 * 2. When `settled` resolves, no lease on these tasks is open, and none can begin until they are granted again.
 */
export class TaskLeases {
  #lastEpoch = 0
  readonly #epochs = new Map<TaskId, number>()
  readonly #open = new Set<OpenLease>()

  /** @returns the epoch of this hand-out */
  grant(task: TaskId): number {
    const epoch = ++this.#lastEpoch
    this.#epochs.set(task, epoch)
    return epoch
  }

  /** True while a lease could begin under this epoch. */
  isCurrent({ id, epoch }: TaskEpoch): boolean {
    return this.#epochs.get(id) === epoch
  }

  /** The epoch under which a lease could begin; undefined: none. */
  epochOf(task: TaskId): number | undefined {
    return this.#epochs.get(task)
  }

  /** @throws WeirError fenced */
  begin(tasks: readonly TaskEpoch[]): Lease {
    for (const { id, epoch } of tasks) {
      const current = this.#epochs.get(id)
      if (current === epoch) continue
      const by = current === undefined ? 'it is not assigned to this process' : `epoch ${current} has begun`
      throw new WeirError('fenced', `task ${id} cannot commit under epoch ${epoch}: ${by}`)
    }
    const lease = new OpenLease(new Set(tasks.map(({ id }) => id)), (ended) => this.#open.delete(ended))
    this.#open.add(lease)
    return lease
  }

  /** From now on nothing begins for these tasks, and what is open for them is no longer valid. */
  fence(tasks: Iterable<TaskId>): void {
    for (const id of tasks) {
      this.#epochs.delete(id)
      for (const lease of this.#open) if (lease.tasks.has(id)) lease.valid = false
    }
  }

  /** Resolves when every lease on one of these tasks has ended. REQUIRES that they are fenced. */
  async settled(tasks: Iterable<TaskId>): Promise<void> {
    const ids = [...tasks]
    const running = [...this.#open].filter((lease) => ids.some((id) => lease.tasks.has(id)))
    await Promise.all(running.map(({ ended }) => ended))
  }
}

class OpenLease implements Lease {
  readonly tasks: ReadonlySet<TaskId>
  readonly ended: Promise<void>
  valid = true
  readonly #onEnd: (lease: OpenLease) => void
  readonly #resolve: () => void

  constructor(tasks: ReadonlySet<TaskId>, onEnd: (lease: OpenLease) => void) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.tasks = tasks
    this.ended = promise
    this.#resolve = resolve
    this.#onEnd = onEnd
  }

  end(): void {
    this.#onEnd(this)
    this.#resolve()
  }
}
