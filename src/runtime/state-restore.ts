import type { Config } from '../config/config.ts'
import type { ErrorCode } from '../errors/codes.ts'
import { decisionFor } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type {
  RestoreJob,
  RestoreProgress,
  Restorer,
  RestoreStore,
  TaskDatabase,
  TopicPartitionOffset,
} from '../native.ts'
import { isRestored, type StoreDefinition, type SubtopologyDefinition } from '../topology/definition.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import type { LocalTiers } from './local-tiers.ts'
import type { OwnChangelogs } from './own-changelogs.ts'
import type { TopicInfo } from './protocol.ts'
import { type RestoreEvent, RestoreEvents } from './restore-events.ts'
import type { StoreLayouts } from './store-layouts.ts'

/** How often a running restore tells how far it is. */
const PROGRESS_MS = 50

/** What restoring needs of its thread. */
export interface RestoreEnvironment {
  readonly config: Config
  readonly restorer: Restorer
  readonly topics: Readonly<Record<string, TopicInfo>>
  /** Of the thread. */
  readonly counters: { restoredRecords: number; stateReset(code: ErrorCode, stores: number): void }
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  readonly restoreEvent: (event: RestoreEvent) => void
  /** Ms since 1970; the wall clock by default. */
  readonly systemTimeMs?: () => number
}

/** A store to restore, and why its rows are not to be used; null when they are. */
interface StorePlan {
  readonly definition: StoreDefinition
  readonly restore: RestoreStore
  readonly reset: WeirError | null
}

/**
 * Brings a task's database to the end of its changelogs. What is there is used as far as it is certain to fit its changelog; otherwise the
 * store begins anew, as the table of errors says (`reset-state`). Kafka Streams' StoreChangelogReader.
 */
export class StateRestore {
  readonly #definition: SubtopologyDefinition
  readonly #partition: number
  readonly #database: TaskDatabase
  readonly #tiers: LocalTiers
  readonly #layouts: StoreLayouts
  /** Where the task reads on: a store that is restored from an input has rows up to there. */
  readonly #inputs: readonly TopicPartitionOffset[]
  readonly #changelogs: OwnChangelogs
  readonly #environment: RestoreEnvironment
  #job: RestoreJob | null = null
  /** Resolves when no store is being emptied. */
  #prepared: Promise<unknown> = Promise.resolve()
  #isStopped = false
  /** Of the running job, as far as they are in the counters. */
  #countedRecords = 0

  constructor(
    definition: SubtopologyDefinition,
    partition: number,
    database: TaskDatabase,
    tiers: LocalTiers,
    layouts: StoreLayouts,
    inputs: readonly TopicPartitionOffset[],
    changelogs: OwnChangelogs,
    environment: RestoreEnvironment,
  ) {
    this.#definition = definition
    this.#partition = partition
    this.#database = database
    this.#tiers = tiers
    this.#layouts = layouts
    this.#inputs = inputs
    this.#changelogs = changelogs
    this.#environment = environment
  }

  get #task(): string {
    return `${this.#definition.id}_${this.#partition}`
  }

  /**
   * Replays what the changelogs have beyond the local rows.
   *
   * @throws WeirError store-changed, `closed` after `stop`; a NativeError, `closed` after `stop`
   */
  async run(): Promise<void> {
    const { stores } = this.#definition
    const plans = this.#plan()
    await this.#layouts.add(stores)
    for (const { definition, reset } of plans) if (reset !== null) this.#tellReset(reset, [definition.name])
    if (plans.length > 0) await this.#replayAsNeeded(await this.#prepare(plans.map(({ restore }) => restore)))
    await this.#layouts.set(stores)
  }

  /** It was stopped, before or while it ran. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Ends a restore at its next batch, also one that has not begun yet. Resolves when it empties no store any more: nothing may be discarded meanwhile. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#job?.stop()
    await this.#prepared
  }

  /** Changelog records still to restore. */
  get remaining(): number {
    let remaining = 0
    for (const { position, end } of this.#progress()) remaining += Math.max(0, end - Math.max(0, position))
    return remaining
  }

  #plan(): StorePlan[] {
    const { config, topics, systemTimeMs = Date.now } = this.#environment
    const offsets = new Map(this.#database.offsets().map((offset) => [offset.store, offset]))
    const now = systemTimeMs()
    return this.#definition.stores.flatMap((definition, index) => {
      const changed = this.#layouts.compare(definition)
      if (changed !== null && decisionFor(changed).next !== 'reset-state') throw changed
      if (!isRestored(definition)) return []
      const { sourceTopic } = definition
      const topic = sourceTopic ?? changelogTopic(config.applicationId, definition.name)
      const input = this.#inputs.find((one) => one.topic === sourceTopic)
      // The topic may have fewer partitions than there are tasks.
      if (sourceTopic !== undefined && input === undefined) return []
      const { id: topicId = '', deleteRetentionMs } = topics[topic] ?? {}
      const local = offsets.get(definition.name)!
      const isOther = local.offset >= 0 && local.topicId !== '' && topicId !== '' && local.topicId !== topicId
      const reset = isOther
        ? new WeirError(
            'changelog-recreated',
            `changelog ${topic} has id ${topicId}; the rows of store ${definition.name} came from one with id ${local.topicId}`,
          )
        : changed
      const from = reset === null ? local.offset : -1
      // Half: a restore takes its time, and clocks differ.
      const stale =
        from >= 0 && deleteRetentionMs !== undefined && now - local.writtenAtMs > deleteRetentionMs / 2
      const restore = {
        store: index,
        topic,
        partition: this.#partition,
        topicId,
        from,
        stale,
        ...(input === undefined ? this.#changelogs.request(index) : { until: input.offset }),
      }
      return [{ definition, restore, reset }]
    })
  }

  async #replayAsNeeded(stores: readonly RestoreStore[]): Promise<void> {
    try {
      await this.#replay(stores)
    } catch (error) {
      const { code, next } = decisionFor(error)
      if (next !== 'reset-state' || code === 'state-corrupt') throw error
      // Which store it is is not told apart; what an old one has is no better than what the other says.
      const anew = stores.map((store) =>
        code === 'state-too-old' && store.stale !== true
          ? { ...store, from: this.#database.offsets()[store.store]!.offset }
          : { ...store, from: -1, stale: false },
      )
      const names = anew.filter(({ from }) => from < 0).map(({ store }) => this.#name(store))
      this.#tellReset(new WeirError(code, messageOf(error)), names)
      await this.#replay(await this.#prepare(anew))
    }
  }

  async #prepare(stores: readonly RestoreStore[]): Promise<RestoreStore[]> {
    const preparing = (async () => {
      const prepared: RestoreStore[] = []
      for (const store of stores) {
        this.#throwIfStopped()
        prepared.push(await this.#tiers.prepareRestore(this.#database, store))
      }
      return prepared
    })()
    this.#prepared = preparing.catch(() => {})
    return await preparing
  }

  #throwIfStopped(): void {
    if (this.#isStopped) throw new WeirError('closed', `the restore of task ${this.#task} was stopped`)
  }

  async #replay(stores: readonly RestoreStore[]): Promise<void> {
    this.#throwIfStopped()
    const events = new RestoreEvents(
      this.#task,
      this.#partition,
      stores.map(({ store, topic }) => ({ store: this.#name(store), topic })),
      this.#environment.restoreEvent,
    )
    this.#job = this.#environment.restorer.restore(this.#database, stores)
    const timer = setInterval(() => events.progressed(this.#progress()), PROGRESS_MS)
    let end: 'end' | 'suspended' = 'suspended'
    try {
      await this.#job.done
      end = 'end'
    } finally {
      clearInterval(timer)
      events.progressed(this.#progress())
      events.finished(end)
      this.#job = null
      this.#countedRecords = 0
    }
  }

  /** Of the running restore; counts what was restored since it was asked last. */
  #progress(): readonly RestoreProgress[] {
    const progress = this.#job?.progress() ?? []
    const restored = progress.reduce((sum, { restoredRecords }) => sum + restoredRecords, 0)
    this.#environment.counters.restoredRecords += Math.max(0, restored - this.#countedRecords)
    this.#countedRecords = restored
    return progress
  }

  #tellReset(why: WeirError, stores: readonly string[]): void {
    tellReset(this.#environment, this.#task, why, stores)
  }

  #name(index: number): string {
    return this.#definition.stores[index]!.name
  }
}

/** One line and one count for state that is not used and restored from the beginning. */
export function tellReset(
  { counters, warn }: Pick<RestoreEnvironment, 'counters' | 'warn'>,
  task: string,
  { code, message }: WeirError,
  stores: readonly string[],
): void {
  counters.stateReset(code, stores.length)
  warn('local state is not used: it is restored from the beginning', { task, stores, code, reason: message })
}
