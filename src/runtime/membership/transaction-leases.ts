import type { TopicPartitionOffset } from '../../native.ts'
import type { CommitLease } from '../protocol.ts'
import type { Membership } from './membership.ts'
import type { Lease, TaskEpoch, TaskLeases } from './task-leases.ts'

/** Who holds a lease, and is asked when it ends. */
export interface LeaseHolder {
  readonly index: number
}

/**
 * The leases of transactions: a stream thread commits one itself, so its lease lasts from one message to another. Main thread.
 * REQUIRES that a thread's end is told: nobody else would give its lease back.
 */
export class TransactionLeases {
  readonly #leases: TaskLeases
  readonly #membership: Pick<Membership, 'prepareTransaction'>
  readonly #open = new Map<
    number,
    {
      readonly lease: Lease
      readonly holder: LeaseHolder
      readonly offsets: readonly TopicPartitionOffset[]
    }
  >()
  #lastId = 0

  constructor(leases: TaskLeases, membership: Pick<Membership, 'prepareTransaction'>) {
    this.#leases = leases
    this.#membership = membership
  }

  /** @throws WeirError fenced */
  begin(
    holder: LeaseHolder,
    tasks: readonly TaskEpoch[],
    offsets: readonly TopicPartitionOffset[],
  ): CommitLease {
    const lease = this.#leases.begin(tasks)
    try {
      const prepared = this.#membership.prepareTransaction(offsets)
      const id = ++this.#lastId
      this.#open.set(id, { lease, holder, offsets })
      return { lease: id, ...prepared }
    } catch (error) {
      lease.end()
      throw error
    }
  }

  /** @returns the offsets that it was begun with */
  end(id: number): readonly TopicPartitionOffset[] {
    const open = this.#open.get(id)
    this.#open.delete(id)
    open?.lease.end()
    return open?.offsets ?? []
  }

  /** The thread commits nothing any more. */
  ended(holder: LeaseHolder): void {
    for (const [id, open] of this.#open) if (open.holder === holder) this.end(id)
  }
}
