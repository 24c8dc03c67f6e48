import { WeirError } from '../../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../../native.ts'
import type { OffsetReset } from '../../topology/definition.ts'

/** Where a partition is read on, and why. */
export interface StartOffset extends TopicPartitionOffset {
  /**
   * `committed`: where the group stopped. `initial`: the group has no offset yet. `deleted`: its records were deleted meanwhile. `beyond`:
   * it lies behind the partition's end, which was cut off.
   */
  readonly reason: 'committed' | 'initial' | 'deleted' | 'beyond'
}

/**
 * Where to start a partition: at the committed offset when the log still has it, else where the reset policy says.
 *
 * @param committed offset -1: the group has none
 * @param log the first and the next offset of the partition
 * @throws WeirError source-offset-out-of-range when the policy is `none`
 */
export function startOffset(
  committed: TopicPartitionOffset,
  [earliest, end]: readonly [number, number],
  policy: OffsetReset,
): StartOffset {
  const { topic, partition, offset } = committed
  if (offset >= earliest && offset <= end) return { ...committed, reason: 'committed' }
  const reason = offset < 0 ? 'initial' : offset < earliest ? 'deleted' : 'beyond'
  if (policy === 'none') {
    const why = {
      initial: 'the group has no committed offset',
      deleted: `the committed offset ${offset} was deleted (the log begins at ${earliest})`,
      beyond: `the committed offset ${offset} lies beyond the log's end at ${end}`,
    }[reason]
    throw new WeirError(
      'source-offset-out-of-range',
      `${topic} partition ${partition}: ${why}, and the offset reset is none`,
    )
  }
  return { topic, partition, offset: policy === 'earliest' ? earliest : end, reason }
}

/** The next generation follows directly: the group did nothing between giving back and getting. */
export function isContinuous(revokedIn: number, assignedIn: number): boolean {
  return revokedIn >= 0 && assignedIn === revokedIn + 1
}
