/** Called once for the first SIGTERM or SIGINT. */
export type OnStop = (signal: NodeJS.Signals) => void

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 }

/** A terminal signals every process of a pipeline, and npm hands on what it got itself: the same signal may come twice within this time. */
const sameSignalMs = 300

/**
 * Turns SIGTERM and SIGINT into an orderly stop: the first calls `onStop`, a second ends the process at once, with 128 + the signal's number.
 *
 * @returns puts the signals back to what they do by default
 */
export function onStopSignals(onStop: OnStop): () => void {
  let stoppingSinceMs: number | null = null
  const listener = (signal: NodeJS.Signals): void => {
    if (stoppingSinceMs === null) {
      stoppingSinceMs = performance.now()
      onStop(signal)
    } else if (performance.now() - stoppingSinceMs > sameSignalMs) {
      process.exit(128 + (signalNumbers[signal] ?? 0))
    }
  }
  process.on('SIGTERM', listener)
  process.on('SIGINT', listener)
  return () => {
    process.off('SIGTERM', listener)
    process.off('SIGINT', listener)
  }
}
