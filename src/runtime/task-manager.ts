import { rm } from 'node:fs/promises'

import type { Config } from '../config/config.ts'
import { errorCodeOf } from '../errors/decision.ts'
import { messageOf } from '../errors/weir-error.ts'
import type { MeteredTask } from '../observe/thread-metrics.ts'
import type { TaskAssignment, TaskId, TaskStatus } from './protocol.ts'
import { setAside } from './state-directory.ts'
import type { Task } from './task.ts'
import { type TaskFactory, taskFolder } from './task-factory.ts'
import type { ThreadEvents } from './thread-events.ts'

export interface TaskManagerOptions {
  readonly config: Config
  readonly factory: TaskFactory
  readonly events: ThreadEvents
  /** Of the thread. */
  readonly counters: {
    tasksCreated: number
    tasksClosed: number
    readonly restoreSeconds: { observe(seconds: number): void }
  }
  /** A task has another state. */
  readonly onTaskState: (task: Task) => void
  /** Before a task starts, between two turns. It may be dropped. Default: nothing is to be done. */
  readonly beforeStart?: (task: Task) => Promise<void>
}

/**
 * A stream thread's tasks, from assignment to close: opening, restoring in the background, starting, suspending, dropping. Kafka Streams'
 * TaskManager. Used by that thread; what changes running tasks REQUIRES that no turn is under way.
 */
export class TaskManager {
  readonly #options: TaskManagerOptions
  readonly #tasks = new Map<TaskId, Task>()
  /** Tasks whose databases are being opened: they are in `#tasks` afterwards. */
  readonly #opening = new Map<TaskId, Promise<Task>>()
  /** Tasks on their way from assignment to start. */
  readonly #starting = new Set<Promise<void>>()

  constructor(options: TaskManagerOptions) {
    this.#options = options
  }

  /** Every open task. */
  all(): Iterable<Task> {
    return this.#tasks.values()
  }

  /** An open task. */
  get(id: TaskId): Task | undefined {
    return this.#tasks.get(id)
  }

  running(): Task[] {
    return [...this.#tasks.values()].filter((task) => task.taskState === 'running')
  }

  /** Takes suspended tasks up again; opens and restores the others, which start between two later turns. */
  assign(assignments: readonly TaskAssignment[]): void {
    for (const assignment of assignments) {
      const present = this.#tasks.get(assignment.id)
      if (present !== undefined) {
        present.reassign(assignment)
        present.resume()
        this.#options.onTaskState(present)
      } else {
        const starting = this.#start(assignment).catch((error: unknown) => this.#options.events.fail(error))
        this.#starting.add(starting)
        void starting.finally(() => this.#starting.delete(starting))
      }
    }
  }

  /** REQUIRES that what is not lost was committed, as far as it could be. */
  async suspend(ids: readonly TaskId[], lost: boolean): Promise<void> {
    const tasks = await this.#named(ids)
    // Together: closing a hundred databases one after the other would take as long as a rebalance may.
    await Promise.all(
      tasks.map(async (task) => {
        const hasStarted = task.taskState === 'running' || task.taskState === 'suspended'
        // Its rows could not be written: what it has processed since its last commit is processed again, by whoever gets it.
        const isLeftOut = task.rows !== null && task.needsCommit
        if (lost || !hasStarted || isLeftOut) await this.drop(task)
        else await task.suspend()
        this.#options.onTaskState(task)
      }),
    )
  }

  /** Closes tasks that are suspended. */
  async release(ids: readonly TaskId[]): Promise<void> {
    const tasks = await this.#named(ids)
    await Promise.all(tasks.map((task) => this.#closeTask(task)))
  }

  /** Closes a task and forgets what it had not committed. @param again it may be handed out again, and the main thread hears of it in another way */
  async drop(task: Task, again = false): Promise<void> {
    await task.state?.stopRestore()
    await task.prefetchSettled()
    task.state?.discard()
    await this.#closeTask(task, { again })
  }

  /**
   * Closes a task whose offsets were refused after its state was written. Its successor may have written to the changelog before that: what
   * is on disk is not what the changelog says up to its offset, and goes.
   */
  async giveUp(task: Task): Promise<void> {
    const removeState = async (): Promise<void> => {
      if (task.state !== null)
        await rm(taskFolder(this.#options.config, task.id), { recursive: true, force: true })
    }
    await this.#closeTask(task, { thereafter: removeState })
  }

  /** Drops every task, those on their way too: the thread ends. REQUIRES that the events are closed. @returns why tasks did not close cleanly */
  async close(): Promise<unknown[]> {
    for (const task of this.#tasks.values()) void task.state?.stopRestore()
    await Promise.allSettled(this.#starting)
    const closed = await Promise.allSettled([...this.#tasks.values()].map((task) => this.drop(task, true)))
    return closed.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
  }

  /** The tasks whose databases an error says are damaged: it names the folder. */
  damagedBy(error: unknown): Task[] {
    if (errorCodeOf(error) !== 'state-corrupt') return []
    const message = messageOf(error)
    return [...this.#tasks.values()].filter(({ id }) =>
      message.includes(`${taskFolder(this.#options.config, id)} `),
    )
  }

  /** REQUIRES that these tasks are closed. */
  async setAside(tasks: readonly Task[]): Promise<void> {
    for (const { id } of tasks) await setAside(taskFolder(this.#options.config, id))
  }

  status(): TaskStatus[] {
    return [...this.#tasks.values()].map((task) => ({
      id: task.id,
      state: task.taskState,
      recordsProcessed: task.recordsProcessed,
      restoreRemaining: task.state?.restoreRemaining ?? 0,
      lag: task.taskState === 'running' ? task.lag : 0,
      stateBytes: task.taskState === 'running' ? (task.state?.bytes ?? 0) : 0,
    }))
  }

  /** For metrics. */
  metered(): MeteredTask[] {
    return [...this.#tasks.values()].map((task) => ({
      id: task.id,
      state: task.taskState,
      restoreRemaining: task.state?.restoreRemaining ?? 0,
      recordsInFlight: task.recordsInFlight,
      recordsBuffered: task.recordsBuffered,
      lags: task.taskState === 'running' ? task.lags() : [],
      database: task.taskState === 'running' ? (task.state?.metered() ?? null) : null,
    }))
  }

  get overlayBytes(): number {
    let sum = 0
    for (const task of this.#tasks.values()) sum += task.state?.overlayBytes ?? 0
    return sum
  }

  async #open(assignment: TaskAssignment): Promise<Task> {
    const task = await this.#options.factory.open(assignment)
    this.#tasks.set(assignment.id, task)
    this.#options.counters.tasksCreated++
    return task
  }

  async #start(assignment: TaskAssignment): Promise<void> {
    const { id } = assignment
    const { events, onTaskState } = this.#options
    const opening = this.#open(assignment).finally(() => this.#opening.delete(id))
    this.#opening.set(id, opening)
    const task = await opening
    if (events.isClosed) return
    if (task.state !== null) {
      task.taskState = 'restoring'
      onTaskState(task)
      const began = performance.now()
      try {
        await task.state.restore()
        this.#options.counters.restoreSeconds.observe((performance.now() - began) / 1000)
      } catch (error) {
        // Stopped because the task goes: whoever stopped it closes it.
        if (task.state.isRestoreStopped) return
        throw error
      }
    }
    await events.between(async () => {
      if (this.#tasks.get(task.id) !== task) return
      await this.#options.beforeStart?.(task)
      if (this.#tasks.get(task.id) !== task) return
      task.start()
      onTaskState(task)
    })
  }

  /** @param thereafter runs before the main thread hears of it, and could hand the task to another thread */
  async #closeTask(
    task: Task,
    { thereafter, again = false }: { thereafter?: () => Promise<void>; again?: boolean } = {},
  ): Promise<void> {
    this.#tasks.delete(task.id)
    await task.close()
    await thereafter?.()
    this.#options.counters.tasksClosed++
    if (!again) this.#options.onTaskState(task)
  }

  /** These tasks, also those whose databases are just being opened. */
  async #named(ids: readonly TaskId[]): Promise<Task[]> {
    await Promise.allSettled(ids.map((id) => this.#opening.get(id)))
    return ids.flatMap((id) => this.#tasks.get(id) ?? [])
  }
}
