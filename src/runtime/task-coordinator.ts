import { setTimeout as delay } from 'node:timers/promises'

import type { Config } from '../config/config.ts'
import type { WeirError } from '../errors/weir-error.ts'
import type { TopicPartition, TopicPartitionOffset } from '../native.ts'
import { AssignmentChecks } from './assignment-checks.ts'
import { GivenUpTasks } from './given-up-tasks.ts'
import { restartDelayMs } from './guarantee/restart-delay.ts'
import type { Logger } from './logger.ts'
import type { Assignment, Membership } from './membership/membership.ts'
import { type TaskEpoch, TaskLeases } from './membership/task-leases.ts'
import { TransactionLeases } from './membership/transaction-leases.ts'
import type { CommitLease, MainRequests, TaskAssignment, TaskId, TaskState } from './protocol.ts'
import { assignTasks } from './task-assignor.ts'
import { partitionKey, type TaskInputs, tasksWith } from './task-inputs.ts'
import { TaskPositions } from './task-positions.ts'
import { TaskRequests } from './task-requests.ts'
import type { StreamThreadHandle } from './thread-pool.ts'

/** A task that is open on a thread. */
interface PlacedTask {
  readonly task: TaskInputs
  thread: StreamThreadHandle
  /** Where it was suspended, by partition; null while it is active. */
  suspendedAt: ReadonlyMap<string, number> | null
  state: TaskState
  /** The thread was asked to give it back. */
  isLeaving: boolean
}

/** Where a task is in this process. */
export interface TaskPlace {
  readonly thread: StreamThreadHandle
  /** Under which its thread has it; undefined when it is about to give it back, or has. */
  readonly epoch: number | undefined
  /** It processes its partition: nobody else does. */
  readonly isActive: boolean
  readonly state: TaskState
}

export interface TaskCoordinatorOptions {
  readonly config: Pick<Config, 'maxPollIntervalMs' | 'sessionTimeoutMs' | 'tasksMax'>
  /** Every task of the application. */
  readonly tasks: readonly TaskInputs[]
  /** That the application starts with. */
  readonly threads: readonly StreamThreadHandle[]
  readonly membership: Pick<
    Membership,
    'commit' | 'isCooperative' | 'prepareTransaction' | 'committedElsewhere' | 'startOffsets'
  >
  readonly logger: Logger
  /** As of AssignmentChecksOptions. */
  readonly patternsSettleMs?: number
  readonly onFailed: (error: WeirError) => void
  /** As of AssignmentChecksOptions. */
  readonly topicsInDoubt: () => void
  /** Something changed that `isSettled` tells. */
  readonly onChanged: () => void
}

/**
 * Turns partitions into tasks and tasks into work of threads: hands tasks out, suspends, moves and releases them, and lets commits through
 * that are still theirs to make. Main thread; assignments, revocations and changes of the threads come one at a time.
 *
 *              hand out                  revoke                  assigned again, nobody had it between
 *   (absent) ───────────> active ──────────────────> suspended ─────────────────────────────────────> active
 *                                                         └──> released: not given back, moved, or had by somebody else
 */
export class TaskCoordinator {
  readonly #options: TaskCoordinatorOptions
  readonly #logger: Logger
  readonly #leases = new TaskLeases()
  readonly #transactions: TransactionLeases
  readonly #positions: TaskPositions
  readonly #placed = new Map<TaskId, PlacedTask>()
  readonly #givenUp: GivenUpTasks
  readonly #requests: TaskRequests
  /** Those that tasks are spread over, by index. */
  #threads: readonly StreamThreadHandle[]
  #tasks: readonly TaskInputs[]
  #rebalancing: boolean
  #revocations = 0
  readonly #checks: AssignmentChecks

  constructor(options: TaskCoordinatorOptions) {
    this.#options = options
    this.#logger = options.logger
    this.#tasks = options.tasks
    this.#threads = options.threads
    const { config, logger, onFailed } = options
    this.#givenUp = new GivenUpTasks(config, onFailed)
    this.#requests = new TaskRequests({ maxPollIntervalMs: config.maxPollIntervalMs, logger, onFailed })
    // Without a topic there is no group to be in.
    this.#rebalancing = options.tasks.length > 0
    this.#checks = new AssignmentChecks(options)
    this.#transactions = new TransactionLeases(this.#leases, options.membership)
    this.#positions = new TaskPositions(options.membership)
  }

  /** True when every task that was handed out runs, and no rebalance is under way. */
  get isSettled(): boolean {
    if (this.#rebalancing) return false
    for (const { suspendedAt, state } of this.#placed.values()) {
      if (suspendedAt === null && state !== 'running') return false
    }
    return true
  }

  /** Whether this process waits for what the group gives it. */
  get isRebalancing(): boolean {
    return this.#rebalancing
  }

  /** Tasks that are open on a thread, or are being opened or closed. */
  get openTasks(): ReadonlySet<TaskId> {
    return new Set([...this.#placed.keys(), ...this.#requests.releasing])
  }

  /** Every task of the application, in all its processes. */
  get tasks(): readonly TaskInputs[] {
    return this.#tasks
  }

  /** undefined: it is not open here. */
  placeOf(id: TaskId): TaskPlace | undefined {
    const placed = this.#placed.get(id)
    if (placed === undefined) return undefined
    const { thread, state, suspendedAt } = placed
    const epoch = this.#leases.epochOf(id)
    return {
      thread,
      epoch,
      isActive: suspendedAt === null && state === 'running' && epoch !== undefined,
      state,
    }
  }

  /** Whether a task is still what it was: it was not taken away since, not even for a moment. */
  isCurrent(task: TaskEpoch): boolean {
    return this.#leases.isCurrent(task)
  }

  get assignedPartitions(): number {
    return this.#positions.size
  }

  async assigned({ partitions, continuous }: Assignment): Promise<void> {
    this.#rebalancing = true
    this.#options.onChanged()
    const resumable = this.#resumable(partitions, continuous)
    this.#givenUp.told(partitions)
    for (const start of partitions) this.#positions.told(start)
    this.#checks.partitions(partitions)
    await this.#placeWhatCanRun(resumable)
    this.#rebalancing = false
    this.#options.onChanged()
  }

  /**
   * The application has other tasks from now on, or the same with other inputs. What can run of them does; a task that waits for the partition of a new topic
   * goes on without.
   *
   * @param hasOtherTopics what the group is told of; otherwise it may have assigned what was not known here until now
   */
  async replan(tasks: readonly TaskInputs[], hasOtherTopics: boolean): Promise<void> {
    this.#tasks = tasks
    this.#checks.setTasks(tasks)
    // Otherwise everything is revoked and assigned again: when the group hears of it, or because it is about to.
    const { isCooperative } = this.#options.membership
    if (isCooperative || !(hasOtherTopics || this.#rebalancing)) await this.#placeWhatCanRun(new Set())
    this.#options.onChanged()
  }

  async #placeWhatCanRun(resumable: ReadonlySet<TaskId>): Promise<void> {
    const isAssigned = (key: string): boolean => this.#positions.has(key)
    const { whole, partial } = tasksWith(this.#tasks, isAssigned)
    const kept = partial.flatMap(({ id }) => {
      const task = this.#placed.get(id)?.task
      return task?.inputs.every((input) => isAssigned(partitionKey(input))) === true ? [task] : []
    })
    this.#checks.partial(partial, isAssigned)
    this.#checks.count(whole.length + kept.length)
    const here = [...whole, ...kept].filter(({ id }) => !this.#givenUp.has(id))
    await this.#place(here, resumable)
  }

  /** Spreads the tasks over one thread more. */
  async addThread(thread: StreamThreadHandle): Promise<void> {
    this.#threads = [...this.#threads, thread].sort((a, b) => a.index - b.index)
    await this.#spread()
  }

  /** Spreads the tasks over the other threads. Resolves when none is open on this one. */
  async removeThread(thread: StreamThreadHandle): Promise<void> {
    this.#threads = this.#threads.filter((other) => other !== thread)
    await this.#spread()
    // What a rebalance has suspended here opens elsewhere when it comes back.
    const left = [...this.#placed.values()].filter((placed) => placed.thread === thread)
    await Promise.all(left.map((placed) => this.#release(placed)))
    await this.#requests.released(this.#tasks.map(({ id }) => id))
  }

  /** The assignment that a rebalance ends with does it by itself. */
  async #spread(): Promise<void> {
    if (!this.#rebalancing) await this.#placeWhatCanRun(new Set())
    this.#options.onChanged()
  }

  /** Another thread takes the place of one that has ended. @returns its tasks, under new epochs: they are to be started over on `next` */
  replaceThread(ended: StreamThreadHandle, next: StreamThreadHandle): TaskEpoch[] {
    this.#threads = this.#threads.map((thread) => (thread === ended ? next : thread))
    const left = [...this.#placed.values()].filter(({ thread }) => thread === ended)
    return left.flatMap((placed) => {
      const { id } = placed.task
      if (placed.suspendedAt !== null) {
        this.#placed.delete(id)
        return []
      }
      placed.thread = next
      return [{ id, epoch: this.#leases.grant(id) }]
    })
  }

  async revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    this.#rebalancing = true
    this.#revocations++
    this.#options.onChanged()
    const keys = new Set(partitions.map(partitionKey))
    const concerned = [...this.#placed.values()].filter(
      ({ task, suspendedAt }) =>
        suspendedAt === null && task.inputs.some((input) => keys.has(partitionKey(input))),
    )
    await this.#suspend(concerned, lost)
    this.#givenUp.told(partitions)
    for (const key of keys) this.#positions.revoked(key)
    // Where everything is revoked before each assignment, most of it comes back: it stays open until that is known.
    const { isCooperative } = this.#options.membership
    if (lost || isCooperative) {
      for (const placed of concerned) void this.#release(placed)
    }
    if (isCooperative && !lost) {
      this.#rebalancing = false
      this.#options.onChanged()
    }
  }

  /** A thread's commit of source offsets. */
  async commit({ tasks, offsets }: MainRequests['commit']['request']): Promise<void> {
    const lease = this.#leases.begin(tasks)
    try {
      await this.#options.membership.commit(offsets, () => lease.valid)
      this.#positions.moveTo(offsets)
    } finally {
      lease.end()
    }
  }

  /** A thread is about to commit a transaction. @throws WeirError fenced */
  beginCommit(
    thread: StreamThreadHandle,
    { tasks, offsets }: MainRequests['begin-commit']['request'],
  ): CommitLease {
    return this.#transactions.begin(thread, tasks, offsets)
  }

  /** A thread's transaction has ended. */
  endCommit({ lease, isCommitted }: MainRequests['end-commit']['request']): void {
    const offsets = this.#transactions.end(lease)
    if (!isCommitted) return
    this.#options.membership.committedElsewhere(offsets)
    this.#positions.moveTo(offsets)
  }

  /** A thread commits nothing any more, and has none of its tasks open. */
  threadEnded(thread: StreamThreadHandle): void {
    this.#transactions.ended(thread)
    for (const placed of this.#placed.values())
      if (placed.thread === thread && placed.suspendedAt === null) this.#doubt(placed)
    this.#options.onChanged()
  }

  #doubt(placed: PlacedTask): void {
    placed.state = 'created'
    this.#positions.doubt(placed.task.inputs)
  }

  /**
   * A thread has closed tasks with all that they had not committed: those that are still this process's are handed out to it again, from where
   * the group stands. @param failures how often that has happened to the thread since its last commit
   */
  async startOver(thread: StreamThreadHandle, tasks: readonly TaskEpoch[], failures: number): Promise<void> {
    // Those that the thread was asked to give back meanwhile are in doubt, too: whoever hands them out has to ask.
    const ours = (): PlacedTask[] =>
      tasks.flatMap((epoch) => {
        const placed = this.#placed.get(epoch.id)
        return placed?.thread === thread && this.#leases.isCurrent(epoch) ? [placed] : []
      })
    for (const placed of ours()) this.#doubt(placed)
    this.#options.onChanged()
    await delay(restartDelayMs(failures), undefined, { ref: false })
    // What is taken away meanwhile is somebody else's to begin.
    const restarting = (): TaskInputs[] =>
      ours()
        .filter(({ isLeaving }) => !isLeaving)
        .map(({ task }) => task)
    await this.#positions.decide(() => restarting().flatMap(({ inputs }) => inputs))
    const again = restarting().map((task) => this.#assignment(task))
    if (again.length > 0) await this.#requests.assign(thread, again)
  }

  /** A hand-out under a new epoch. */
  #assignment({ id, subtopology, partition, inputs }: TaskInputs): TaskAssignment {
    const positions = inputs.map((input) => this.#positions.get(partitionKey(input))!)
    return { id, subtopology, partition, epoch: this.#leases.grant(id), inputs: positions }
  }

  /** Whether the group still takes commits for these tasks: commits again what is committed. */
  async confirm({ tasks }: MainRequests['confirm']['request']): Promise<void> {
    const placed = tasks.map(({ id }) => this.#placed.get(id)).filter((found) => found !== undefined)
    const inputs = placed.flatMap(({ task }) => task.inputs)
    const offsets = inputs
      .map((input) => this.#positions.get(partitionKey(input)))
      .filter((found) => found !== undefined)
    await this.commit({ tasks, offsets })
  }

  /** What a thread says of its task. */
  taskState(thread: StreamThreadHandle, id: TaskId, state: TaskState): void {
    const placed = this.#placed.get(id)
    if (placed?.thread !== thread) return
    placed.state = state
    if (state === 'closed') {
      this.#placed.delete(id)
      const isAssigned = (input: TopicPartition): boolean => this.#positions.has(partitionKey(input))
      if (!placed.isLeaving) this.#givenUp.add(placed.task, isAssigned)
    }
    this.#options.onChanged()
  }

  /** Positions of assigned partitions: everything before them was processed and committed. */
  positions(): Iterable<TopicPartitionOffset> {
    return this.#positions.all()
  }

  /** The partitions that are assigned now. `isCurrent` says whether all of them still are. */
  holding(): { readonly partitions: readonly TopicPartition[]; readonly isCurrent: () => boolean } {
    const revocations = this.#revocations
    const partitions = Array.from(this.#positions.all(), ({ topic, partition }) => ({ topic, partition }))
    return { partitions, isCurrent: () => revocations === this.#revocations }
  }

  /** Nothing is committed from now on. */
  async fenceAll(): Promise<void> {
    this.#checks.stop()
    this.#givenUp.stop()
    const ids = [...new Set([...this.#tasks.map(({ id }) => id), ...this.#placed.keys()])]
    this.#leases.fence(ids)
    await this.#leases.settled(ids)
  }

  /** Suspended tasks that can go on as they are: nobody else had them, and the group stands where they stopped. */
  #resumable(partitions: readonly TopicPartitionOffset[], continuous: boolean): ReadonlySet<TaskId> {
    const starts = new Map(partitions.map((start) => [partitionKey(start), start.offset]))
    const resumable = new Set<TaskId>()
    if (!continuous) return resumable
    for (const { task, suspendedAt } of this.#placed.values()) {
      if (suspendedAt === null) continue
      if ([...suspendedAt].every(([key, offset]) => starts.get(key) === offset)) resumable.add(task.id)
    }
    return resumable
  }

  /** Commits and suspends tasks, unless they are lost. Afterwards nothing is committed for them until they are handed out again. */
  async #suspend(concerned: readonly PlacedTask[], lost: boolean): Promise<void> {
    const ids = concerned.map(({ task }) => task.id)
    if (lost) this.#leases.fence(ids)
    for (const placed of concerned) placed.isLeaving = true
    const byThread = Map.groupBy(concerned, ({ thread }) => thread)
    const asked = [...byThread].map(([thread, placed]) =>
      this.#requests.suspend(
        thread,
        placed.map(({ task }) => task.id),
        lost,
      ),
    )
    await Promise.all(asked)
    this.#leases.fence(ids)
    await this.#leases.settled(ids)
    for (const placed of concerned) {
      const keys = placed.task.inputs.map(partitionKey)
      placed.suspendedAt = new Map(keys.map((key) => [key, this.#positions.get(key)!.offset]))
    }
  }

  async #place(whole: readonly TaskInputs[], resumable: ReadonlySet<TaskId>): Promise<void> {
    const threads = this.#threads
    const places = new Map(threads.map((thread, place) => [thread, place]))
    const previous = new Map<TaskId, number>()
    for (const [id, { thread }] of this.#placed) {
      const place = places.get(thread)
      if (place !== undefined) previous.set(id, place)
    }
    const targets = assignTasks(whole, threads.length, previous)

    const inputs = new Map(whole.map((task) => [task.id, inputsKey(task)]))
    const isInPlace = ({ task, thread }: PlacedTask): boolean =>
      targets.get(task.id) === places.get(thread) && inputs.get(task.id) === inputsKey(task)

    // Running tasks that make room elsewhere give their state up first; so do those that get other inputs.
    const moving = [...this.#placed.values()].filter(
      (placed) => placed.suspendedAt === null && !isInPlace(placed),
    )
    await this.#suspend(moving, false)
    for (const placed of this.#placed.values()) {
      const canStay = placed.suspendedAt === null || resumable.has(placed.task.id)
      if (!canStay || !isInPlace(placed)) void this.#release(placed)
    }

    const handOuts = whole.filter(({ id }) => this.#placed.get(id)?.suspendedAt !== null)
    await this.#requests.released(handOuts.map(({ id }) => id))
    await this.#positions.decide(() => handOuts.flatMap(({ inputs }) => inputs))
    const byThread = new Map<StreamThreadHandle, TaskAssignment[]>()
    for (const task of handOuts) {
      const thread = threads[targets.get(task.id)!]!
      const assignment = this.#assignment(task)
      this.#placed.set(task.id, {
        task,
        thread,
        suspendedAt: null,
        state: 'created',
        isLeaving: false,
      })
      const group = byThread.get(thread)
      if (group === undefined) byThread.set(thread, [assignment])
      else group.push(assignment)
    }
    await Promise.all([...byThread].map(([thread, tasks]) => this.#requests.assign(thread, tasks)))
    if (byThread.size > 0) {
      const spread = Object.fromEntries(
        [...byThread].map(([{ index }, tasks]) => [index, tasks.map(({ id }) => id)]),
      )
      this.#logger.info({ threads: spread }, 'tasks handed out')
    }
  }

  /** Closes a suspended task. */
  #release({ task, thread }: PlacedTask): Promise<void> {
    this.#placed.delete(task.id)
    return this.#requests.release(thread, task.id)
  }
}

/** Equal for the same partitions. */
function inputsKey({ inputs }: TaskInputs): string {
  return inputs.map(partitionKey).sort().join()
}
