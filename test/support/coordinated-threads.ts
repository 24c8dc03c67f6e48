/** A TaskCoordinator over threads that are models, in a world that knows what each may do. */
import assert from 'node:assert/strict'
import { MessageChannel } from 'node:worker_threads'

import { WeirError } from '../../src/errors/weir-error.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../src/native.ts'
import { Channel } from '../../src/runtime/channel.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import type { TaskEpoch } from '../../src/runtime/membership/task-leases.ts'
import type {
  MainRequests,
  TaskAssignment,
  TaskId,
  ThreadNotice,
  ThreadRequests,
} from '../../src/runtime/protocol.ts'
import { TaskCoordinator } from '../../src/runtime/task-coordinator.ts'
import { partitionKey, type TaskInputs } from '../../src/runtime/task-inputs.ts'
import { StreamThreadHandle } from '../../src/runtime/thread-pool.ts'

export const PARTITIONS = 4
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Two sub-topologies: one joins two topics, the other reads one. */
export const tasks: TaskInputs[] = Array.from({ length: PARTITIONS }, (_, partition) => [
  {
    id: `0_${partition}`,
    subtopology: 0,
    partition,
    inputs: [
      { topic: 'a', partition },
      { topic: 'b', partition },
    ],
  },
  { id: `1_${partition}`, subtopology: 1, partition, inputs: [{ topic: 'c', partition }] },
]).flat()

/** The group and every other member of it: what is committed, and how often each task's state was moved on elsewhere. */
export class World {
  readonly committed = new Map<string, number>()
  readonly owned = new Set<string>()
  /** Counts how often somebody may have changed a task's state, in its changelog. */
  readonly stateVersion = new Map<TaskId, number>()
  /** On which thread a task's database is open: never two at once. */
  readonly openOn = new Map<TaskId, number>()
  commitsRunning = 0
  problems: string[] = []
  /** What the next questions for committed offsets wait for. */
  readonly answersAfter: Promise<void>[] = []

  async startOffsets(partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    await (this.answersAfter.shift() ?? new Promise(setImmediate))
    return partitions.map((one) => ({ ...one, offset: this.committed.get(partitionKey(one))! }))
  }

  async commit(offsets: readonly TopicPartitionOffset[], isCurrent: () => boolean): Promise<void> {
    this.commitsRunning++
    for (let wait = offsets[0]!.offset % 3; wait > 0; wait--) await new Promise(setImmediate)
    this.commitsRunning--
    if (!isCurrent()) throw new WeirError('fenced', 'taken away')
    for (const offset of offsets) {
      const key = partitionKey(offset)
      if (!this.owned.has(key)) this.problems.push(`${key} was committed and is not ours`)
      if (offset.offset < this.committed.get(key)!) this.problems.push(`${key} was committed backwards`)
      this.committed.set(key, offset.offset)
    }
  }
}

interface OpenTask {
  assignment: TaskAssignment
  running: boolean
  /** Of the state as it is on disk and in memory. */
  version: number
  readonly positions: Map<string, number>
}

/** A stream thread as the protocol describes it: what it does to tasks, without records. */
export class ModelThread {
  readonly tasks = new Map<TaskId, OpenTask>()
  readonly channel: Channel<MainRequests, ThreadRequests, never>
  readonly index: number
  readonly #world: World
  #lastCommit: Promise<unknown> = Promise.resolve()

  constructor(index: number, world: World, port: MessagePort) {
    this.index = index
    this.#world = world
    const unused = (): never => {
      throw new Error('not part of this test')
    }
    this.channel = new Channel<MainRequests, ThreadRequests, never>(port as never, {
      assign: ({ tasks: assignments }) => {
        for (const assignment of assignments) this.#assign(assignment)
      },
      suspend: ({ tasks: ids, lost }) => this.#suspend(ids, lost),
      release: ({ tasks: ids }) => this.#release(ids),
      loaded: unused,
      topics: unused,
      pause: unused,
      stop: unused,
      metrics: unused,
      status: unused,
      query: unused,
    })
  }

  #assign(assignment: TaskAssignment): void {
    const { id, inputs } = assignment
    const { openOn, stateVersion, problems } = this.#world
    const present = this.tasks.get(id)
    const version = stateVersion.get(id) ?? 0
    if (present === undefined) {
      if (openOn.has(id))
        problems.push(`${id} was opened on thread ${this.index} and is open on ${openOn.get(id)}`)
      openOn.set(id, this.index)
      const positions = new Map(inputs.map((input) => [partitionKey(input), input.offset]))
      this.tasks.set(id, { assignment, running: true, version, positions })
    } else {
      if (present.running) problems.push(`${id} was handed out twice`)
      if (present.version !== version)
        problems.push(`${id} goes on with a state that somebody else has moved on`)
      present.assignment = assignment
      present.running = true
    }
    for (const input of inputs) {
      if (input.offset !== this.#world.committed.get(partitionKey(input)))
        problems.push(`${id} starts at ${input.offset}`)
    }
    this.#tell(id, 'running')
  }

  async #suspend(ids: readonly TaskId[], lost: boolean): Promise<void> {
    if (!lost) await this.commit(ids)
    for (const id of ids) {
      const task = this.tasks.get(id)
      if (task === undefined) continue
      task.running = false
      if (lost) this.#close(id)
      else this.#tell(id, 'suspended')
    }
  }

  async #release(ids: readonly TaskId[]): Promise<void> {
    for (const id of ids) {
      if (this.tasks.get(id)?.running === true) this.#world.problems.push(`${id} was released while it runs`)
      await new Promise(setImmediate)
      this.#close(id)
    }
  }

  #close(id: TaskId): void {
    if (!this.tasks.delete(id)) return
    this.#world.openOn.delete(id)
    this.#tell(id, 'closed')
  }

  /** Processes some records of each task, then commits: one commit after the other, as a thread does. @returns the code of a refusal */
  commit(ids?: readonly TaskId[]): Promise<string | null> {
    const commit = this.#lastCommit.then(() => this.#commit(ids ?? [...this.tasks.keys()]))
    this.#lastCommit = commit
    return commit
  }

  async #commit(ids: readonly TaskId[]): Promise<string | null> {
    const running = ids.flatMap((id) => this.tasks.get(id) ?? []).filter((task) => task.running)
    if (running.length === 0) return null
    for (const { positions } of running) {
      for (const [key, offset] of positions) positions.set(key, offset + (offset % 2) + 1)
    }
    const offsets = running.flatMap(({ assignment, positions }) =>
      assignment.inputs.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: positions.get(`${topic}:${partition}`)!,
      })),
    )
    try {
      await this.channel.request('commit', {
        tasks: running.map(({ assignment }) => ({ id: assignment.id, epoch: assignment.epoch })),
        offsets,
      })
      return null
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  /** As when a transaction has failed: nobody is told, the main thread hears of it by `startOver`. @returns what was open */
  dropAll(): TaskEpoch[] {
    const dropped = [...this.tasks.values()].map(({ assignment: { id, epoch } }) => ({ id, epoch }))
    for (const { id } of dropped) {
      this.tasks.delete(id)
      this.#world.openOn.delete(id)
    }
    return dropped
  }

  /** A thread that ends closes what it has, and tells of that by its end alone. */
  die(): void {
    for (const id of this.tasks.keys()) this.#world.openOn.delete(id)
    this.tasks.clear()
    this.channel.close()
  }

  #tell(task: TaskId, state: 'running' | 'suspended' | 'closed'): void {
    this.channel.notify({ type: 'task-state', task, state } satisfies ThreadNotice)
  }
}

type MessagePort = ConstructorParameters<typeof StreamThreadHandle>[1]

interface ModelJob {
  readonly handle: StreamThreadHandle
  readonly end: () => void
  readonly fail: (error: Error) => void
}

/** A coordinator over model threads. */
export function setUp(threadCount: number, isCooperative: boolean, patternsSettleMs?: number) {
  const world = new World()
  for (const { inputs } of tasks) for (const input of inputs) world.committed.set(partitionKey(input), 0)
  const failures: WeirError[] = []
  const jobs = new Map<ModelThread, ModelJob>()
  const models: ModelThread[] = []
  const start = (index: number): ModelThread => {
    const { port1, port2 } = new MessageChannel()
    const model = new ModelThread(index, world, port2)
    const job = Promise.withResolvers<void>()
    const handle = new StreamThreadHandle(
      index,
      port1,
      {
        commit: (request) => coordinator.commit(request),
        confirm: (request) => coordinator.confirm(request),
        beginCommit: (thread, request) => coordinator.beginCommit(thread, request),
        endCommit: (request) => coordinator.endCommit(request),
        ended: (thread) => coordinator.threadEnded(thread),
        schemas: { schema: async () => null, schemas: async () => [] },
        notice: (thread, notice) => {
          if (notice.type === 'task-state') coordinator.taskState(thread, notice.task, notice.state)
        },
      },
      job.promise,
    )
    jobs.set(model, { handle, end: job.resolve, fail: job.reject })
    models.push(model)
    models.sort((a, b) => a.index - b.index)
    return model
  }
  const handleOf = (model: ModelThread): StreamThreadHandle => jobs.get(model)!.handle
  for (let index = 0; index < threadCount; index++) start(index)
  const coordinator: TaskCoordinator = new TaskCoordinator({
    config: { maxPollIntervalMs: 60_000, sessionTimeoutMs: 60_000, tasksMax: 1_000 },
    tasks,
    ...(patternsSettleMs !== undefined && { patternsSettleMs }),
    threads: models.map(handleOf),
    membership: {
      isCooperative,
      commit: (offsets, isCurrent) => world.commit(offsets, isCurrent),
      prepareTransaction: () => assert.fail('at least once'),
      committedElsewhere: () => assert.fail('at least once'),
      startOffsets: (partitions) => world.startOffsets(partitions),
    },
    logger,
    onFailed: (error) => failures.push(error),
    topicsInDoubt: () => {},
    onChanged: () => {},
  })
  return {
    world,
    coordinator,
    models,
    failures,
    handleOf,
    /** One thread more, under the first free index. */
    async add(): Promise<void> {
      let index = 0
      while (models.some((model) => model.index === index)) index++
      await coordinator.addThread(handleOf(start(index)))
    },
    async remove(model: ModelThread): Promise<void> {
      await coordinator.removeThread(handleOf(model))
      assert.deepEqual([...model.tasks.keys()], [], 'tasks are left on a thread that goes')
      models.splice(models.indexOf(model), 1)
      jobs.get(model)!.end()
      await handleOf(model).ended
    },
    /** The thread ends by an error. @param committed offsets of its tasks that the group has, though nobody here was told */
    async fail(model: ModelThread, committed: boolean): Promise<void> {
      if (committed) {
        for (const { running, assignment } of model.tasks.values()) {
          if (!running) continue
          for (const input of assignment.inputs.map(partitionKey))
            world.committed.set(input, world.committed.get(input)! + 1)
        }
      }
      model.die()
      jobs.get(model)!.fail(new Error('planned'))
      await handleOf(model).ended.catch(() => {})
    },
    /** @returns when its tasks were started over */
    replace(model: ModelThread): Promise<void> {
      models.splice(models.indexOf(model), 1)
      const next = handleOf(start(model.index))
      return coordinator.startOver(next, coordinator.replaceThread(handleOf(model), next), 0)
    },
    async close() {
      for (const { end } of jobs.values()) end()
      await Promise.allSettled([...jobs.values()].map(({ handle }) => handle.ended))
    },
  }
}
