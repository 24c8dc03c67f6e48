import { HEARTBEAT_INTERVAL_MS } from './heartbeat.ts'
import type { Task } from './task.ts'
import type { ThreadEvents } from './thread-events.ts'

/** What waiting needs of its thread. */
export interface WaitingThread {
  readonly events: Pick<ThreadEvents, 'sleepWithin'>
  /** How long it waits, ms. */
  readonly limitMs: number
  /** Completes records of a task that are in flight. @returns how many */
  complete(task: Task): number
  /** Gives a sign of life. @returns false when tasks were given up */
  isAlive(): Promise<boolean>
  /** What was completed goes to the producer, and is committed when it is time. */
  handOver(): Promise<void>
}

/**
 * Tasks are about to go: what waits for promises is waited for, and no more is taken. What is left then is dropped with them, and processed again
 * wherever they go; so it is with a record that is about to be tried again, and those behind it. REQUIRES that an action of the thread runs.
 */
export async function waitForInFlight(tasks: readonly Task[], thread: WaitingThread): Promise<void> {
  const untilMs = Date.now() + thread.limitMs
  while (Date.now() < untilMs) {
    const waiting = tasks.filter((task) => task.taskState === 'running' && task.isRecordUnderWay)
    if (waiting.length === 0 || !(await thread.isAlive())) return
    let completed = 0
    for (const task of waiting) completed += thread.complete(task)
    if (completed > 0) {
      await thread.handOver()
      continue
    }
    let wakeAtMs = Math.min(untilMs, Date.now() + HEARTBEAT_INTERVAL_MS)
    for (const { retryMs, promiseDeadlineMs } of waiting)
      wakeAtMs = Math.min(wakeAtMs, retryMs, promiseDeadlineMs)
    await thread.events.sleepWithin(wakeAtMs)
  }
}
