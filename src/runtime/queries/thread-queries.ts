import { messageOf } from '../../errors/weir-error.ts'
import { answerQuery, type StoreAnswer } from '../../query/answer-query.ts'
import { behindBound, type InputPosition } from '../../query/position.ts'
import { QueryError } from '../../query/query-error.ts'
import type { WireAnswer } from '../../query/wire-query.ts'
import type { Store } from '../../state/store.ts'
import type { StoreDefinition, TopologyDefinition } from '../../topology/definition.ts'
import type { ThreadQuery } from '../protocol.ts'
import type { Task } from '../task.ts'

/** Queries of one thread at the most: those that wait for their turn, for a commit, or for a row of a tiered store. */
const QUERIES_MAX = 256
/** What queries may take of a turn, ms: the one that goes beyond is the last. */
const TURN_MS_MAX = 2

interface OpenQuery {
  readonly query: ThreadQuery
  readonly resolve: (answer: WireAnswer) => void
  readonly reject: (error: QueryError) => void
}

/** An answer that is given when what it was read from is committed. */
interface HeldAnswer extends OpenQuery {
  readonly task: Task
  readonly answer: WireAnswer
  /** When the task was committed last before. */
  readonly committedMs: number
}

export interface ThreadQueriesOptions {
  readonly topology: TopologyDefinition
  readonly task: (id: string) => Task | undefined
  /** By name. */
  readonly globalStores: ReadonlyMap<string, Store>
  /** Begins a turn, if none is under way. */
  readonly wakeUp: () => void
}

/**
 * The queries that a stream thread is asked: they wait for its next turn, and are answered before it processes records. Used by that thread.
 */
export class ThreadQueries {
  readonly #options: ThreadQueriesOptions
  readonly #definitions: ReadonlyMap<string, StoreDefinition>
  readonly #waiting: OpenQuery[] = []
  readonly #held = new Set<HeldAnswer>()
  /** Those that load a row. */
  #loading = 0
  #isClosed = false

  constructor(options: ThreadQueriesOptions) {
    const { subtopologies, globalStores = [] } = options.topology
    this.#options = options
    const definitions = [
      ...subtopologies.flatMap(({ stores }) => stores),
      ...globalStores.map(({ store }) => store),
    ]
    this.#definitions = new Map(definitions.map((store) => [store.name, store]))
  }

  /** @throws QueryError */
  ask(query: ThreadQuery): Promise<WireAnswer> {
    if (this.#isClosed) return Promise.reject(threadEnds())
    if (this.#waiting.length + this.#held.size + this.#loading >= QUERIES_MAX) {
      const what = `${QUERIES_MAX} queries wait already for the thread that has task ${query.task}`
      return Promise.reject(new QueryError('overloaded', what))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ query, resolve, reject })
      this.#options.wakeUp()
    })
  }

  /** Something is to be done at the beginning of the next turn. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Answers what fits into a turn. REQUIRES that no commit is under way. */
  answer(): void {
    if (this.#held.size > 0) this.#dropHeld()
    if (this.#waiting.length === 0) return
    const untilMs = performance.now() + TURN_MS_MAX
    do this.#answer(this.#waiting.shift()!)
    while (this.#waiting.length > 0 && performance.now() < untilMs)
  }

  /** A commit is done: answers that were read from what it has committed go. */
  committed(): void {
    if (this.#held.size === 0) return
    this.#dropHeld()
    for (const held of this.#held) {
      const { task, committedMs } = held
      if (task.needsCommit && task.committedMs === committedMs) continue
      this.#held.delete(held)
      held.resolve(held.answer)
    }
  }

  /** The thread ends. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of [...this.#waiting.splice(0), ...this.#held]) reject(threadEnds())
    this.#held.clear()
  }

  #answer(open: OpenQuery): void {
    const { query, reject } = open
    try {
      if (Date.now() > query.deadlineMs) throw new QueryError('timeout', 'the query waited for too long')
      const definition = this.#definitions.get(query.store)
      const task = query.task === null ? null : this.#task(query)
      const store =
        task === null ? this.#options.globalStores.get(query.store) : task.state?.stores.get(query.store)
      if (definition === undefined || store === undefined)
        throw new QueryError('does-not-exist', `there is no store ${query.store}`)
      const inputs = task === null ? [] : [...task.positions()]
      checkBound(inputs, query)
      const read = answerQuery(store, definition, query.query)
      // No record may come that would do it.
      task?.state?.trim()
      if (read instanceof Promise) void this.#load(read, open, task, inputs)
      else this.#give(read, open, task, inputs)
    } catch (error) {
      reject(named(error, query.store))
    }
  }

  /** @throws QueryError not-active when another one may have the task by now */
  #task({ task: id, epoch, consistency }: ThreadQuery): Task {
    const task = this.#options.task(id!)
    const isHere =
      task !== undefined &&
      (consistency === 'stale'
        ? task.taskState === 'running' || task.taskState === 'suspended'
        : task.taskState === 'running' && task.assignment.epoch === epoch)
    if (isHere) return task
    throw new QueryError('not-active', `task ${id} is ${task?.taskState ?? 'not open'} here: it moves`)
  }

  #give(read: StoreAnswer, open: OpenQuery, task: Task | null, inputs: readonly InputPosition[]): void {
    const answer = { ...read, inputs }
    if (task !== null && open.query.consistency === 'committed' && task.needsCommit)
      this.#held.add({ ...open, task, answer, committedMs: task.committedMs })
    else open.resolve(answer)
  }

  /** Its inputs were read before the row is loaded: they say less than what it is made of, never more. */
  async #load(
    read: Promise<StoreAnswer>,
    open: OpenQuery,
    task: Task | null,
    inputs: readonly InputPosition[],
  ): Promise<void> {
    const { query, reject } = open
    this.#loading++
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, fail) => {
      const what = `a row of store ${query.store} has not come from Cassandra yet`
      const leftMs = Math.max(1, query.deadlineMs - Date.now())
      timer = setTimeout(() => fail(new QueryError('timeout', what)), leftMs)
    })
    try {
      const loaded = await Promise.race([read, late])
      // Meanwhile it may have gone.
      if (task !== null && this.#task(query) !== task)
        throw new QueryError('not-active', `task ${query.task} was opened anew`)
      this.#give(loaded, open, task, inputs)
    } catch (error) {
      reject(named(error, query.store))
    } finally {
      clearTimeout(timer)
      this.#loading--
    }
  }

  /** Those whose task is not what it was, or who wait no longer. */
  #dropHeld(): void {
    for (const held of this.#held) {
      const { query, task, reject } = held
      const isLate = Date.now() > query.deadlineMs
      if (!isLate && task.taskState === 'running' && task.assignment.epoch === query.epoch) continue
      this.#held.delete(held)
      reject(
        isLate
          ? new QueryError('timeout', `task ${task.id} has not committed what was read of it yet`)
          : new QueryError('not-active', `task ${task.id} moved before it had committed what was read of it`),
      )
    }
  }
}

/** @throws QueryError not-up-to-bound */
function checkBound(inputs: readonly InputPosition[], { positionBound, store }: ThreadQuery): void {
  if (positionBound === null) return
  const behind = behindBound(inputs, positionBound)
  if (behind === null) return
  const { topic, partition, offset } = behind
  const bound = positionBound[topic]![partition]
  throw new QueryError(
    'not-up-to-bound',
    `store ${store} has processed ${topic} partition ${partition} up to offset ${offset}, and not to ${bound} yet`,
  )
}

function named(error: unknown, store: string): QueryError {
  if (error instanceof QueryError) return error
  return new QueryError('store-exception', `store ${store}: ${messageOf(error)}`, { cause: error })
}

function threadEnds(): QueryError {
  return new QueryError('not-active', 'the stream thread ends: its tasks move')
}
