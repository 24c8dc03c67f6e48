import type { ErrorCode } from '../errors/codes.ts'
import { ageSeconds, restoreSeconds, seconds } from './buckets.ts'
import { CassandraCounters } from './cassandra-counters.ts'
import { NodeCounters } from './node-counters.ts'
import { StoreCounters } from './store-counters.ts'
import { TimeHistogram } from './time-histogram.ts'

/** What one topic gave to or got from a stream thread: plain fields, added to once a batch. */
export class TopicCounters {
  records = 0
  bytes = 0
}

/** What one task did on this thread: added to once a turn. */
export class TaskCounters {
  records = 0
  processMs = 0
}

/** What a tiered store was asked for and its cache did not have, by where it was. */
export class TierCounters {
  disk = 0
  cassandra = 0
  /** How often what is on disk was emptied. */
  evictions = 0
}

/**
 * Numbers that a stream thread adds to while it works: plain fields without allocation, folded into metrics only when somebody asks. All of
 * them count since the thread began and never go down.
 */
export class ThreadCounters {
  readonly #consumed = new Map<string, TopicCounters>()
  readonly #produced = new Map<string, TopicCounters>()
  readonly #tiers = new Map<string, TierCounters>()
  readonly #nodes = new Map<string, NodeCounters>()
  readonly #stores = new Map<string, StoreCounters>()
  readonly #tasks = new Map<string, TaskCounters>()
  recordsProcessed = 0
  /** Records that were dropped, by why: a negative timestamp, a null key where one is needed, too late. */
  readonly droppedRecords = new Map<string, number>()
  /** Records processed while another input of their task was empty, which was waited for as long as it is to be. */
  recordsEnforced = 0
  /** How far sampled records lie behind their tasks' stream times. */
  readonly lateness = new TimeHistogram(ageSeconds)
  /** Records written to dead-letter topics. */
  deadLetters = 0
  /** Attempts at records that failed with what may pass. */
  retries = 0
  /** Records whose processing took longer than is logged. */
  slowRecords = 0
  punctuations = 0
  /** Of all punctuators that were due together; not of each time. */
  readonly punctuateSeconds = new TimeHistogram(seconds)
  /** Changes that suppressions have held back and forwarded, by node. */
  readonly suppressionEmits = new Map<string, number>()
  commits = 0
  changelogRecords = 0
  restoredRecords = 0
  readonly restoreSeconds = new TimeHistogram(restoreSeconds)
  /** Errors that handlers were asked about, by what failed: deserialization, processing, production. */
  readonly handledErrors = new Map<string, number>()
  /** Stores whose local rows were not used, by why. */
  readonly stateResets = new Map<ErrorCode, number>()
  readonly cassandra = new CassandraCounters()
  tasksCreated = 0
  tasksClosed = 0

  /** A topic that is read. Ask once and keep the answer. */
  consumed(topic: string): TopicCounters {
    return counters(this.#consumed, topic)
  }

  /** A topic that is written. Ask once and keep the answer. */
  produced(topic: string): TopicCounters {
    return counters(this.#produced, topic)
  }

  /** Of a tiered store, of all tasks. Ask once and keep the answer. */
  tier(store: string): TierCounters {
    let found = this.#tiers.get(store)
    if (found === undefined) {
      found = new TierCounters()
      this.#tiers.set(store, found)
    }
    return found
  }

  /** A node of the topology, of all tasks. Ask once and keep the answer. @param isLast nothing is below it */
  node(name: string, isLast: boolean): NodeCounters {
    let found = this.#nodes.get(name)
    if (found === undefined) {
      found = new NodeCounters(isLast)
      this.#nodes.set(name, found)
    }
    return found
  }

  /** A store of the topology, of all tasks. Ask once and keep the answer. */
  store(name: string): StoreCounters {
    let found = this.#stores.get(name)
    if (found === undefined) {
      found = new StoreCounters()
      this.#stores.set(name, found)
    }
    return found
  }

  task(id: string): TaskCounters {
    let found = this.#tasks.get(id)
    if (found === undefined) {
      found = new TaskCounters()
      this.#tasks.set(id, found)
    }
    return found
  }

  get nodes(): ReadonlyMap<string, NodeCounters> {
    return this.#nodes
  }

  get stores(): ReadonlyMap<string, StoreCounters> {
    return this.#stores
  }

  get tasks(): ReadonlyMap<string, TaskCounters> {
    return this.#tasks
  }

  get tiers(): ReadonlyMap<string, TierCounters> {
    return this.#tiers
  }

  /** @param reason one of few: it is a label */
  recordDropped(reason: string): void {
    this.droppedRecords.set(reason, (this.droppedRecords.get(reason) ?? 0) + 1)
  }

  get recordsDropped(): number {
    let sum = 0
    for (const records of this.droppedRecords.values()) sum += records
    return sum
  }

  suppressionEmitted(node: string): void {
    this.suppressionEmits.set(node, (this.suppressionEmits.get(node) ?? 0) + 1)
  }

  errorHandled(kind: string): void {
    this.handledErrors.set(kind, (this.handledErrors.get(kind) ?? 0) + 1)
  }

  stateReset(code: ErrorCode, stores: number): void {
    this.stateResets.set(code, (this.stateResets.get(code) ?? 0) + stores)
  }

  get consumedTopics(): ReadonlyMap<string, TopicCounters> {
    return this.#consumed
  }

  get producedTopics(): ReadonlyMap<string, TopicCounters> {
    return this.#produced
  }
}

function counters(map: Map<string, TopicCounters>, topic: string): TopicCounters {
  let found = map.get(topic)
  if (found === undefined) {
    found = new TopicCounters()
    map.set(topic, found)
  }
  return found
}
