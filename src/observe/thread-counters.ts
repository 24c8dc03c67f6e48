import type { ErrorCode } from '../errors/codes.ts'
import { CassandraCounters } from './cassandra-counters.ts'

/** What one topic gave to or got from a stream thread: plain fields, added to once a batch. */
export class TopicCounters {
  records = 0
  bytes = 0
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
  recordsProcessed = 0
  /** Records that were dropped: a negative timestamp, a null key where one is needed, too late. */
  recordsDropped = 0
  /** Records written to dead-letter topics. */
  deadLetters = 0
  /** Attempts at records that failed with what may pass. */
  retries = 0
  /** Records whose processing took longer than is logged. */
  slowRecords = 0
  punctuations = 0
  /** Changes that suppressions have held back and forwarded, by node. */
  readonly suppressionEmits = new Map<string, number>()
  commits = 0
  changelogRecords = 0
  restoredRecords = 0
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

  get tiers(): ReadonlyMap<string, TierCounters> {
    return this.#tiers
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
