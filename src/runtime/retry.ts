import { setTimeout as delay } from 'node:timers/promises'

import { decisionFor, errorCodeOf } from '../errors/decision.ts'

const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 5_000

export interface RetryOptions {
  /** Ends the waiting: the last error is thrown. */
  readonly signal: AbortSignal
  /** After this long the last error is thrown; not given: never. */
  readonly timeoutMs?: number
  readonly onRetry: (error: unknown) => void
  /** Pauses of half to the whole length, so that many processes do not ask all at once. Default: false. */
  readonly jitter?: boolean
}

/** Runs `attempt` until it succeeds or fails with what waiting does not cure (see errors/codes.ts), with growing pauses. */
export async function retryWhileUnreachable<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY, onRetry, jitter = false } = options
  const startedMs = performance.now()
  for (let backoffMs = BACKOFF_MS_MIN; ; backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)) {
    try {
      return await attempt()
    } catch (error) {
      const leftMs = startedMs + timeoutMs - performance.now()
      if (decisionFor(error).next !== 'retry' || signal.aborted || leftMs <= 0) throw error
      onRetry(error)
      const pauseMs = jitter ? (backoffMs * (1 + Math.random())) / 2 : backoffMs
      await pause(Math.min(pauseMs, leftMs), signal)
      if (signal.aborted) throw error
    }
  }
}

/** So long after it was created a topic may be unknown to some of the brokers: those that are slow to hear of it. */
export const TOPIC_VISIBLE_MS = 30_000
const TOPIC_POLL_MS = 200

/** Asks about a topic that exists: a broker that does not know it yet is asked again. @throws error of another kind, or when it takes too long */
export async function whenTopicKnown<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  timeoutMs = TOPIC_VISIBLE_MS,
): Promise<T> {
  const startedMs = performance.now()
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const isOver = performance.now() - startedMs >= timeoutMs || signal.aborted
      if (errorCodeOf(error) !== 'topic-missing' || isOver) throw error
      await pause(TOPIC_POLL_MS, signal)
    }
  }
}

/** Resolves after `ms`, or early when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    // Aborted: whoever waits looks at the signal.
  }
}
