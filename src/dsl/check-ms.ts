import { TopologyError } from '../topology/topology-error.ts'

/** @param min the least that is allowed; left out, any whole number is. @throws TopologyError */
export function checkMs(where: string, what: string, ms: unknown, min?: number): asserts ms is number {
  if (Number.isSafeInteger(ms) && (min === undefined || (ms as number) >= min)) return
  const from = min === undefined ? '' : ` from ${min}`
  throw new TopologyError(
    `${where}: ${what} is ${String(ms)}; allowed is a whole number of milliseconds${from}`,
  )
}
