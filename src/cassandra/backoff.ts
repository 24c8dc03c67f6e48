import { setTimeout as delay } from 'node:timers/promises'

const BACKOFF_MS_MIN = 50
const BACKOFF_MS_MAX = 2_000
/** Of the pause, more or less: requests that failed together do not all come back at once. */
const JITTER = 0.2

/** Waits before another attempt, longer after each; not when `signal` is aborted. */
export async function pauseBefore(attempts: number, signal: AbortSignal): Promise<void> {
  const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** attempts)
  const pauseMs = backoffMs * (1 - JITTER + 2 * JITTER * Math.random())
  // Aborted: whoever waits looks at the signal.
  await delay(pauseMs, undefined, { signal }).catch(() => {})
}
