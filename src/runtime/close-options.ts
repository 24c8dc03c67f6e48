import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'

/** How an application is closed. Kafka Streams' CloseOptions (KIP-812, KIP-1153). */
export interface CloseOptions {
  /** How long it may take, ms; then `closed` rejects with `shutdown-timeout`. Default: WEIR_SHUTDOWN_TIMEOUT_MS. */
  readonly timeoutMs?: number
  /**
   * Whether this process leaves the group, so that its tasks move at once. Default: a dynamic member leaves, which cannot be changed; a static one (WEIR_GROUP_INSTANCE_ID)
   * stays, and its tasks wait for its return or its session timeout. A static one can leave under WEIR_GROUP_PROTOCOL=classic only.
   */
  readonly leaveGroup?: boolean
}

const MS_MAX = 2 ** 31 - 1

/** @throws WeirError config-invalid */
export function checkTimeout(what: string, timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs >= 0 && timeoutMs <= MS_MAX)) return
  const line = `${what}: timeoutMs ${String(timeoutMs)}; allowed: milliseconds from 0 to ${MS_MAX}`
  throw new WeirError('config-invalid', line)
}

/** @throws WeirError config-invalid */
export function checkCloseOptions(
  { timeoutMs, leaveGroup, ...rest }: CloseOptions,
  { groupInstanceId }: Pick<Config, 'groupInstanceId'>,
  canStaticLeave: boolean,
): void {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw refused(`unknown option ${unknown}; allowed: timeoutMs, leaveGroup`)
  checkTimeout('close', timeoutMs)
  if (leaveGroup !== undefined && typeof leaveGroup !== 'boolean')
    throw refused(`leaveGroup ${String(leaveGroup)}; allowed: true, false`)
  if (leaveGroup === false && groupInstanceId === null)
    throw refused('leaveGroup false is for static members only: set WEIR_GROUP_INSTANCE_ID')
  if (leaveGroup === true && groupInstanceId !== null && !canStaticLeave)
    throw refused('leaveGroup true: a static member can leave under WEIR_GROUP_PROTOCOL=classic only')
}

function refused(why: string): WeirError {
  return new WeirError('config-invalid', `close: ${why}`)
}
