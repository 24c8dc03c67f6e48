import { TopologyError } from '../topology/topology-error.ts'

/** @param needed how long a window must be kept at least, and why. @returns how long it is kept, ms */
export function checkRetention(
  where: string,
  retentionMs: number | undefined,
  needed: { readonly retentionMs: number; readonly retentionReason: string },
): number {
  if (retentionMs === undefined) return needed.retentionMs
  if (!Number.isSafeInteger(retentionMs) || retentionMs < needed.retentionMs) {
    throw new TopologyError(
      `${where}: retentionMs is ${String(retentionMs)}; allowed is a whole number from ${needed.retentionMs}, which is ${needed.retentionReason} together`,
    )
  }
  return retentionMs
}
