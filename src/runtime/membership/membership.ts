import type { WeirError } from '../../errors/weir-error.ts'
import type { GroupMember, TopicPartition, TopicPartitionOffset } from '../../native.ts'

/** Partitions that the group gives to this process, with where to read on. */
export interface Assignment {
  readonly partitions: readonly TopicPartitionOffset[]
  /**
   * True when nobody else can have had these partitions since this process gave them back: what was suspended then may go on as it is.
   * Otherwise its state may be behind its changelog.
   */
  readonly continuous: boolean
}

/** Told one event at a time: the next one comes when the Promise of the last has resolved. */
export interface MembershipListener {
  /** The partitions can be opened. */
  assigned(assignment: Assignment): Promise<void>
  /**
   * The partitions are to be given back; resolves when nothing is committed for them any more. `lost`: somebody else has them already, and
   * nothing may be committed.
   */
  revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void>
  /** The group cannot be a member's any more; nothing else is told afterwards but revocations. */
  failed(error: WeirError): void
  /** A topic is said to be missing or changed: worth a look. */
  topicsInDoubt(): void
}

/**
 * A process's place in its group: owns the assignment, the offset commits and the group metadata. Everything above works the same whatever
 * protocol stands behind it.
 */
export interface Membership {
  /** The native consumer that stream threads attach to. */
  readonly consumerId: number
  /**
   * Partitions stay open while a revocation is answered; false under protocols that revoke everything before each assignment, where what
   * was revoked is likely to come back.
   */
  readonly isCooperative: boolean
  /** Joins, when there are topics; from then on the listener is told. */
  join(topics: readonly string[]): void
  /**
   * Goes on with other topics. Between two events for the listener, which is told what comes of it.
   *
   * @param before is done before the group hears of it; `hasOthers`: it has something to hear, these are other topics
   */
  changeTopics(topics: readonly string[], before: (hasOthers: boolean) => Promise<void>): void
  /** Runs something between two events for the listener; not at all once the group is being left. Resolves when it has run, or will not. */
  between(run: () => Promise<void>): Promise<void>
  /**
   * Commits offsets, trying again while no broker answers and `isCurrent` says true.
   *
   * @param alsoUnmoved also what the group has already, for what goes with it
   * @throws WeirError fenced when this process is no member, or the group refuses it
   */
  commit(
    offsets: readonly TopicPartitionOffset[],
    isCurrent: () => boolean,
    alsoUnmoved?: boolean,
  ): Promise<void>
  /**
   * Who commits a transaction, and which of these offsets are to be in it.
   *
   * @throws WeirError fenced when this process is no member
   */
  prepareTransaction(offsets: readonly TopicPartitionOffset[]): {
    readonly member: GroupMember
    readonly offsets: readonly TopicPartitionOffset[]
  }
  /** They were committed in a transaction. */
  committedElsewhere(offsets: readonly TopicPartitionOffset[]): void
  /** Where to read on, once no transaction that is open can change it. Waits for the brokers, until this process leaves. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>
  /**
   * Leaves the group and closes the consumer.
   *
   * @param options.isStaticToo a static member leaves, too: its tasks move at once, not after the session timeout. REQUIRES `canStaticLeave` then
   */
  leave(options?: { readonly isStaticToo: boolean }): Promise<void>
  /** Whether the protocol lets a static member leave for good. */
  readonly canStaticLeave: boolean
}
