import { messageOf } from '../../errors/weir-error.ts'
import type { QueryMetrics } from '../../observe/query-metrics.ts'
import { partitionOfKey } from '../../produce/partition-of-key.ts'
import { checkType } from '../../query/answer-query.ts'
import { decodeAnswers } from '../../query/decode-answer.ts'
import { checkBound, mergePositions, type Position, positionOf } from '../../query/position.ts'
import { isQueryErrorReason, QueryError } from '../../query/query-error.ts'
import type { PlacedStore, QueryableStores } from '../../query/queryable-stores.ts'
import type {
  QueryableStore,
  QueryConsistency,
  QueryOptions,
  StateQuery,
  StateQueryResult,
} from '../../query/state-query.ts'
import { toWire, type WireAnswer, type WireQuery } from '../../query/wire-query.ts'
import type { ThreadQuery } from '../protocol.ts'
import type { TaskCoordinator } from '../task-coordinator.ts'
import type { TaskInputs } from '../task-inputs.ts'
import type { StreamThreadHandle } from '../thread-pool.ts'
import { askPeer, type ForwardedQuery } from './forwarding.ts'
import type { Peers, TaskOwner } from './peers.ts'

const TIMEOUT_MS = 5_000
const TIMEOUT_MS_MAX = 60_000
/** Queries of the process that wait for an answer, at the most. */
const OPEN_MAX = 1_024
/** Partitions of one query that are asked at once. */
const PARTITIONS_AT_ONCE = 16

export interface StateQueriesOptions {
  readonly applicationId: string
  readonly httpToken: string | null
  /** Of this process; null: none is set. */
  readonly applicationServer: string | null
  readonly stores: QueryableStores
  readonly coordinator: Pick<TaskCoordinator, 'tasks' | 'placeOf' | 'isCurrent'>
  /** Those that have not ended. */
  readonly threads: () => readonly StreamThreadHandle[]
  /** null: there is no group to ask for others. */
  readonly peers: Peers | null
  readonly metrics: QueryMetrics
}

/** One partition's question. */
interface PartQuery {
  readonly store: PlacedStore
  readonly query: WireQuery
  readonly consistency: QueryConsistency
  readonly positionBound: Position | null
  readonly deadlineMs: number
}

/**
 * Answers queries of the application's stores: finds the partitions, and of each the thread that has its task, here or in another process. Kafka
 * Streams' KafkaStreams.query, and the queryMetadataForKey that its callers do the rest with. Main thread.
 */
export class StateQueries {
  readonly #options: StateQueriesOptions
  #open = 0

  constructor(options: StateQueriesOptions) {
    this.#options = options
  }

  /** The stores that can be asked. */
  stores(): QueryableStore[] {
    return Array.from(this.#options.stores.all(), ({ definition, subtopology }) => ({
      name: definition.name,
      type: definition.type,
      key: definition.key.name,
      value: definition.value.name,
      partitions: subtopology === null ? 1 : this.#tasksOf(subtopology).length,
      isGlobal: subtopology === null,
    }))
  }

  /** @throws QueryError */
  async query<R>(
    name: string,
    query: StateQuery<R>,
    options: QueryOptions = {},
  ): Promise<StateQueryResult<R>> {
    return await this.#counted(async () => {
      const store = this.#options.stores.get(name)
      const wire = toWire(query, store.definition)
      checkType(store.definition, wire)
      const { positionBound } = options
      const part: PartQuery = {
        store,
        query: wire,
        consistency: checkedConsistency(options.consistency),
        positionBound:
          positionBound === undefined
            ? null
            : checkBound(positionBound, inputTopics(store, this.#options.coordinator.tasks), name),
        deadlineMs: Date.now() + checkedTimeout(options.timeoutMs),
      }
      if (store.subtopology === null) {
        const answer = await this.#askGlobal(part)
        return await this.#result([0], [answer], part)
      }
      const tasks = this.#tasksOf(store.subtopology)
      const partitions = partitionsOf(wire, tasks.length, options.partition, name)
      const answers = await inChunks(partitions, (partition) => this.#ask(tasks[partition]!, part))
      return await this.#result(partitions, answers, part)
    })
  }

  /** A query of another process: answered here, or not at all. @throws QueryError not-active when the task is not here */
  async answerForwarded(forwarded: ForwardedQuery): Promise<WireAnswer> {
    return await this.#counted(async () => {
      const { applicationId, store: name, partition, query, consistency, positionBound } = forwarded
      if (applicationId !== this.#options.applicationId) {
        const what = `this is a process of ${this.#options.applicationId}, not of ${applicationId}`
        throw new QueryError('not-active', what)
      }
      const store = this.#options.stores.get(name)
      checkType(store.definition, query)
      const task = store.subtopology === null ? undefined : this.#tasksOf(store.subtopology)[partition]
      if (task === undefined)
        throw new QueryError('does-not-exist', `store ${name} has no partition ${partition}`)
      const deadlineMs = Date.now() + checkedTimeout(Math.ceil(forwarded.timeoutMs))
      const part = {
        store,
        query,
        consistency: checkedConsistency(consistency),
        positionBound:
          positionBound === null
            ? null
            : checkBound(positionBound, inputTopics(store, this.#options.coordinator.tasks), name),
        deadlineMs,
      }
      const answer = this.#askHere(task, part)
      if (answer === null) throw new QueryError('not-active', `task ${task.id} is not open in this process`)
      return await answer
    })
  }

  async #counted<T>(run: () => Promise<T>): Promise<T> {
    const { metrics } = this.#options
    const startMs = performance.now()
    if (this.#open >= OPEN_MAX) {
      metrics.refused('overloaded')
      throw new QueryError('overloaded', `${OPEN_MAX} queries wait for their answers already`)
    }
    this.#open++
    try {
      const result = await run()
      metrics.answered(performance.now() - startMs)
      return result
    } catch (error) {
      const named =
        error instanceof QueryError
          ? error
          : new QueryError('store-exception', messageOf(error), { cause: error })
      metrics.refused(named.code)
      throw named
    } finally {
      this.#open--
    }
  }

  async #result<R>(
    partitions: readonly number[],
    answers: readonly WireAnswer[],
    { query, store }: PartQuery,
  ): Promise<StateQueryResult<R>> {
    return {
      value: (await decodeAnswers(query, answers, store.definition)) as R,
      position: mergePositions(answers.map(({ inputs }) => positionOf(inputs))),
      partitions,
    }
  }

  /** In order of their partitions. */
  #tasksOf(subtopology: number): readonly TaskInputs[] {
    return this.#options.coordinator.tasks.filter((task) => task.subtopology === subtopology)
  }

  /** Whoever has the task, here or elsewhere; asked once more where it has gone meanwhile. */
  async #ask(task: TaskInputs, part: PartQuery): Promise<WireAnswer> {
    const here = this.#askHere(task, part)
    if (here !== null) return await here
    const first = await this.#ownerOf(task, part, false)
    try {
      return await this.#askThere(first, task, part)
    } catch (error) {
      const { code } = error as QueryError
      if (code === 'timeout') this.#options.peers?.forget(first)
      // The group may have moved the task since it was asked.
      if (code !== 'not-active') throw error
      const nowHere = this.#askHere(task, part)
      if (nowHere !== null) return await nowHere
      const second = await this.#ownerOf(task, part, true)
      if (second === first) throw error
      return await this.#askThere(second, task, part)
    }
  }

  /** @returns null when the task is not open here */
  #askHere(task: TaskInputs, part: PartQuery): Promise<WireAnswer> | null {
    const { coordinator } = this.#options
    const place = coordinator.placeOf(task.id)
    if (place === undefined) return null
    const isStale = part.consistency === 'stale'
    if (!isStale && !place.isActive) {
      const what = `task ${task.id} is ${place.state === 'running' ? 'about to move' : place.state}`
      return Promise.reject(new QueryError('not-active', what))
    }
    const epoch = place.epoch ?? -1
    const answer = this.#askThread(place.thread, part, task.id, epoch)
    if (isStale) return answer
    return answer.then((given) => {
      // Taken away while the answer was on its way.
      if (coordinator.isCurrent({ id: task.id, epoch })) return given
      throw new QueryError('not-active', `task ${task.id} was taken away from this process`)
    })
  }

  /** Every thread sees the global stores. */
  #askGlobal(part: PartQuery): Promise<WireAnswer> {
    const [thread] = this.#options.threads()
    if (thread === undefined) throw new QueryError('not-active', 'no stream thread runs')
    return this.#askThread(thread, part, null, -1)
  }

  async #askThread(
    thread: StreamThreadHandle,
    { store, query, consistency, positionBound, deadlineMs }: PartQuery,
    task: string | null,
    epoch: number,
  ): Promise<WireAnswer> {
    const { name } = store.definition
    const request: ThreadQuery = {
      store: name,
      task,
      epoch,
      query,
      consistency,
      positionBound,
      deadlineMs,
    }
    try {
      return await inTime(thread.request('query', request), deadlineMs, `store ${name}`)
    } catch (error) {
      throw nameAgain(error)
    }
  }

  async #ownerOf(task: TaskInputs, part: PartQuery, isAnew: boolean): Promise<string> {
    const { peers, applicationServer } = this.#options
    if (peers === null) throw new QueryError('not-active', `task ${task.id} is not open in this process`)
    let owner: TaskOwner
    try {
      owner = await inTime(this.#otherOwner(peers, task, isAnew), part.deadlineMs, 'the group')
    } catch (error) {
      if (error instanceof QueryError) throw error
      throw new QueryError(
        'not-active',
        `the group cannot be asked who has task ${task.id}: ${messageOf(error)}`,
        {
          cause: error,
        },
      )
    }
    if (owner.kind === 'unnamed') {
      const what = `task ${task.id} is in another process, which does not say where: WEIR_APPLICATION_SERVER is not set there`
      throw new QueryError('not-present', what)
    }
    if (owner.kind === 'none' || owner.server === applicationServer)
      throw new QueryError('not-active', `task ${task.id} is about to be given to a process`)
    return owner.server
  }

  /** That this process has the task, which is not here, was true at most when it was heard. */
  async #otherOwner(peers: Peers, task: TaskInputs, isAnew: boolean): Promise<TaskOwner> {
    const owner = await peers.ownerOf(task, isAnew)
    const isThis = owner.kind === 'server' && owner.server === this.#options.applicationServer
    return isThis && !isAnew ? await peers.ownerOf(task, true) : owner
  }

  async #askThere(server: string, task: TaskInputs, part: PartQuery): Promise<WireAnswer> {
    const { applicationId, httpToken, metrics } = this.#options
    const { store, query, consistency, positionBound, deadlineMs } = part
    const timeoutMs = deadlineMs - Date.now()
    if (timeoutMs <= 0) throw new QueryError('timeout', `the owner of task ${task.id} was not found in time`)
    metrics.forwarded()
    return await askPeer(
      server,
      {
        applicationId,
        store: store.definition.name,
        partition: task.partition,
        query,
        consistency,
        positionBound,
        timeoutMs,
      },
      httpToken,
    )
  }
}

function inputTopics({ subtopology }: PlacedStore, tasks: readonly TaskInputs[]): ReadonlySet<string> {
  const own = tasks.filter((task) => task.subtopology === subtopology)
  return new Set(own.flatMap(({ inputs }) => inputs.map(({ topic }) => topic)))
}

/** @throws QueryError does-not-exist, query-invalid */
function partitionsOf(
  query: WireQuery,
  count: number,
  given: QueryOptions['partition'],
  store: string,
): readonly number[] {
  const all = Array.from({ length: count }, (_, partition) => partition)
  if (typeof given === 'number') {
    if (all.includes(given)) return [given]
    const what = `store ${store} has no partition ${given}: it has ${count}, from 0 on`
    throw new QueryError('does-not-exist', what)
  }
  if (given !== undefined && given !== 'all')
    throw new QueryError('query-invalid', `partition is ${String(given)}: expected a number, or all`)
  // None of the topics that a pattern matches is there.
  if (count === 0) throw new QueryError('not-active', `store ${store} has no partition yet`)
  if (given === 'all' || !('key' in query)) return all
  const bytes = Buffer.from(query.key)
  return [partitionOfKey(bytes, bytes.length, count)]
}

async function inChunks<A, B>(all: readonly A[], run: (one: A) => Promise<B>): Promise<B[]> {
  const results: B[] = []
  for (let start = 0; start < all.length; start += PARTITIONS_AT_ONCE)
    results.push(...(await Promise.all(all.slice(start, start + PARTITIONS_AT_ONCE).map(run))))
  return results
}

/** @throws QueryError timeout */
async function inTime<T>(answer: Promise<T>, deadlineMs: number, who: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new QueryError('timeout', `${who} has not answered in time`))
    timer = setTimeout(fail, Math.max(1, deadlineMs - Date.now()))
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** An error that has crossed from a thread has its code and its message alone. */
function nameAgain(error: unknown): QueryError {
  if (error instanceof QueryError) return error
  const { code } = error as { code?: unknown }
  if (isQueryErrorReason(code)) return new QueryError(code, messageOf(error), { cause: error })
  if (code === 'closed') return new QueryError('not-active', 'the stream thread has ended', { cause: error })
  return new QueryError('store-exception', messageOf(error), { cause: error })
}

function checkedConsistency(consistency: unknown = 'consistent'): QueryConsistency {
  if (consistency === 'consistent' || consistency === 'committed' || consistency === 'stale')
    return consistency
  const what = `consistency is ${String(consistency)}: expected one of consistent, committed, stale`
  throw new QueryError('query-invalid', what)
}

function checkedTimeout(timeoutMs = TIMEOUT_MS): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) return timeoutMs
  throw new QueryError(
    'query-invalid',
    `timeoutMs is ${timeoutMs}: expected a whole number from 1 to ${TIMEOUT_MS_MAX}`,
  )
}
