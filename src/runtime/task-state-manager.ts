import type { TierConnection } from '../cassandra/cassandra-tier.ts'
import type { ChangelogEnds } from '../commit/changelog-ends.ts'
import type { Config } from '../config/config.ts'
import { decisionFor } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { type DatabaseOptions, type StateMemory, TaskDatabase, type TopicPartitionOffset } from '../native.ts'
import { type MeteredDatabase, meterDatabase } from '../observe/rocksdb-metrics.ts'
import type { StoreCounters } from '../observe/store-counters.ts'
import type { TierCounters } from '../observe/thread-counters.ts'
import type { CacheBudget } from '../state/cache-budget.ts'
import { openStore } from '../state/open-store.ts'
import type { OverlayWriter } from '../state/overlay-writer.ts'
import { hasTimestampedRows } from '../state/row-codec.ts'
import { segmentOptions } from '../state/segments.ts'
import type { StateStore } from '../state/state-store.ts'
import { isTieredStateStore } from '../state/store-tier.ts'
import { SUPPRESS_CHANGELOG_VERSION } from '../state/suppress-row.ts'
import type { SubtopologyDefinition } from '../topology/definition.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import { LocalTiers } from './local-tiers.ts'
import { OwnChangelogs } from './own-changelogs.ts'
import { setAside } from './state-directory.ts'
import { type RestoreEnvironment, StateRestore, tellReset } from './state-restore.ts'
import { StoreLayouts } from './store-layouts.ts'
import { storeWatermarks, watermarkName } from './tier-watermarks.ts'

/** An overlay's own bytes for a row. */
const OVERLAY_BYTES_PER_ROW = 80

/** What a task's state needs of its thread. */
export interface StateEnvironment extends RestoreEnvironment {
  readonly memory: StateMemory
  readonly budget: CacheBudget
  readonly overlayWriter: OverlayWriter
  readonly counters: RestoreEnvironment['counters'] & {
    recordDropped(reason: string): void
    store(name: string): StoreCounters
    tier(store: string): TierCounters
  }
}

/**
 * A task's database and the stores in it: opening, restoring, draining, committing. Kafka Streams' ProcessorStateManager.
 *
 *   open -> restore -> { flush -> drain -> commit }* -> close
 */
export class TaskStateManager {
  readonly stores: ReadonlyMap<string, StateStore>
  readonly database: TaskDatabase
  readonly #environment: StateEnvironment
  readonly #tiers: LocalTiers
  readonly #restore: StateRestore
  readonly #changelogs: OwnChangelogs
  /** Stores that are restored from an input, and its topic. */
  readonly #fromSources: readonly { readonly store: number; readonly topic: string }[]
  overlayBytes = 0

  private constructor(
    definition: SubtopologyDefinition,
    partition: number,
    environment: StateEnvironment,
    database: TaskDatabase,
    tiers: LocalTiers,
    layouts: StoreLayouts,
    inputs: readonly TopicPartitionOffset[],
    recordTimestamp: () => number,
  ) {
    this.#environment = environment
    this.#tiers = tiers
    this.database = database
    this.#fromSources = definition.stores.flatMap(({ sourceTopic: topic }, store) =>
      topic === undefined ? [] : [{ store, topic }],
    )
    this.#changelogs = new OwnChangelogs(definition, environment.config, environment.topics, inputs)
    this.#restore = new StateRestore(
      definition,
      partition,
      database,
      tiers,
      layouts,
      inputs,
      this.#changelogs,
      environment,
    )
    const { budget, overlayWriter, counters, systemTimeMs = Date.now } = environment
    const onOverlayBytes = (bytes: number): void => {
      this.overlayBytes = bytes
    }
    this.stores = new Map(
      definition.stores.map((store, index) => {
        const lowerIndex = tiers.lowerIndex(store)
        const opened = openStore(store, {
          database,
          index,
          ...(lowerIndex !== undefined && { lowerIndex, tierReads: counters.tier(store.name) }),
          budget,
          overlayWriter,
          recordTimestamp,
          systemTimeMs,
          onOverlayBytes,
          operations: counters.store(store.name),
          onExpired: () => counters.recordDropped('expired row'),
        })
        if (isTieredStateStore(opened)) tiers.opened(store, opened)
        return [store.name, opened]
      }),
    )
  }

  /**
   * Opens a task's database. One that is damaged is set aside, and the task begins with an empty one.
   *
   * @param path the task's folder
   * @param inputs where the task reads on
   */
  static async open(
    definition: SubtopologyDefinition,
    partition: number,
    path: string,
    inputs: readonly TopicPartitionOffset[],
    environment: StateEnvironment,
    recordTimestamp: () => number,
  ): Promise<TaskStateManager> {
    const open = async (): Promise<TaskStateManager> => {
      const layouts = await StoreLayouts.read(path)
      const { counters } = environment
      const { applicationId } = environment.config
      const tiers = new LocalTiers(
        definition.stores,
        storeWatermarks(definition.stores, applicationId, environment.topics, inputs),
        (store) => counters.tier(store).evictions++,
      )
      const database = await TaskDatabase.open(
        environment.memory,
        databaseOptions(definition, tiers, partition, path, environment.config),
      )
      return new TaskStateManager(
        definition,
        partition,
        environment,
        database,
        tiers,
        layouts,
        inputs,
        recordTimestamp,
      )
    }
    try {
      return await open()
    } catch (error) {
      if (decisionFor(error).next !== 'reset-state') throw error
      const aside = await setAside(path)
      const { code } = decisionFor(error)
      const why = new WeirError(code, `${messageOf(error)}; its folder is ${aside} now`, { cause: error })
      const stores = definition.stores.map(({ name }) => name)
      tellReset(environment, `${definition.id}_${partition}`, why, stores)
      return await open()
    }
  }

  /** Tiered stores read and write Cassandra from now on; without it they have what is here. */
  connectTiers(connection: TierConnection): void {
    this.#tiers.connect(connection)
  }

  /** So many rows of tiered stores have changed that a commit is due, however short a time ago the last one was. */
  get isLarge(): boolean {
    return this.#tiers.isLarge
  }

  /** What a commit would let go on to Cassandra has no room there yet. */
  get waitsForRoom(): boolean {
    return this.#tiers.waitsForRoom
  }

  /** Too much of tiered stores waits for Cassandra. */
  get isFull(): boolean {
    return this.#tiers.isFull
  }

  /** To be committed with the offsets: what Cassandra has of tiered stores. */
  *watermarks(): Iterable<readonly [name: string, offset: number]> {
    const { config, topics } = this.#environment
    for (const [store, offset] of this.#tiers.watermarks())
      yield [watermarkName(store, config.applicationId, topics), offset]
  }

  /** Resolves when Cassandra has all that is committed of tiered stores, or never will. */
  tiersSettled(): Promise<void> {
    return this.#tiers.settled()
  }

  /** A commit is done: what tiered stores have changed goes to Cassandra, and what they have too much here goes. */
  committed(): Promise<void> {
    return this.#tiers.committed(this.database, this.#environment.config.tieredStoreLocalBytes)
  }

  /** Replays what the changelogs have beyond the local rows; see StateRestore. */
  async restore(): Promise<void> {
    await this.#restore.run()
    this.#tiers.restored(this.database)
    // Rows that its changelog is to be told again.
    const [changed = 0] = this.database.properties(['weir.overlay-entries'])
    this.overlayBytes = changed * OVERLAY_BYTES_PER_ROW
  }

  /** Ends a restore at its next batch. Resolves when changes may be discarded, which is before it has ended. */
  stopRestore(): Promise<void> {
    return this.#restore.stop()
  }

  /** The restore ends early, or has not begun, because whoever stopped it closes this. */
  get isRestoreStopped(): boolean {
    return this.#restore.isStopped
  }

  get restoreRemaining(): number {
    return this.#restore.remaining
  }

  /** Rows on disk and in memtables, as RocksDB estimates. */
  get bytes(): number {
    const [files = 0, memtables = 0] = this.database.properties([
      'rocksdb.live-sst-files-size',
      'rocksdb.cur-size-all-mem-tables',
    ])
    return files + memtables
  }

  /** For metrics. REQUIRES that the state is restored. */
  metered(): MeteredDatabase {
    return meterDatabase(this.database, [...this.stores.keys()])
  }

  /** What a commit would write: the overlays, and the dirty rows above them. */
  get uncommittedBytes(): number {
    let bytes = this.overlayBytes
    for (const { cache, uncommittedBytes = 0 } of this.stores.values()) {
      bytes += cache.dirtyBytes + cache.dirtyEntries * OVERLAY_BYTES_PER_ROW + uncommittedBytes
    }
    return bytes
  }

  /**
   * Forwards what caching stores have kept back, those above first, until `isFull`. A store that gets changes from one below it in the
   * topology is asked again. @returns true when nothing is left
   */
  flushChanges(isFull: () => boolean): boolean {
    for (let pass = 0; pass <= this.stores.size; pass++) {
      let changes = 0
      for (const store of this.stores.values()) {
        if (!store.flushChanges(isFull) && isFull()) return false
        changes += store.pendingChanges.size
      }
      if (changes === 0) break
    }
    return true
  }

  /** True when a caching store has kept back as much as half of its share of the cache. */
  get wantsFlush(): boolean {
    for (const { pendingChanges } of this.stores.values()) {
      if (pendingChanges.bytes > this.#environment.budget.shareBytes / 2) return true
    }
    return false
  }

  /** Hands every store's changes to the overlays. */
  flush(): void {
    const { counters } = this.#environment
    for (const [name, store] of this.stores) {
      const { flush } = counters.store(name)
      flush.calls++
      flush.time(() => store.flush())
    }
  }

  /** What the rows are made of, as far as they come from inputs; to be written with the next commit. */
  readTo(offsets: readonly TopicPartitionOffset[]): void {
    if (this.#fromSources.length === 0) return
    this.database.setSourceOffsets(
      this.#fromSources.flatMap(({ store, topic }) => {
        // The topic may have fewer partitions than there are tasks.
        const input = offsets.find((one) => one.topic === topic)
        return input === undefined ? [] : [{ store, offset: input.offset }]
      }),
    )
  }

  /** To be committed with the offsets. REQUIRES that nothing is on its way to a changelog. */
  changelogEnds(): ChangelogEnds {
    return this.#changelogs.ends(this.database)
  }

  /** The end of a record: a scan that a processor left open would pin memory. @returns how many there were */
  closeScans(): number {
    let open = 0
    for (const store of this.stores.values()) {
      if (store.openScans.size === 0) continue
      open += store.openScans.size
      store.closeScans()
    }
    return open
  }

  /** Between batches: brings the caches back under their budget. */
  trim(): void {
    for (const store of this.stores.values()) this.#environment.budget.trim(store.cache)
  }

  discard(): void {
    for (const store of this.stores.values()) store.discard()
    this.database.discard()
    this.overlayBytes = 0
  }

  async close(): Promise<void> {
    for (const store of this.stores.values()) store.close()
    await this.database.close()
  }
}

function databaseOptions(
  definition: SubtopologyDefinition,
  tiers: LocalTiers,
  partition: number,
  path: string,
  config: Config,
): DatabaseOptions {
  return {
    path,
    partition,
    stores: [
      ...definition.stores.map((store) => ({
        name: store.name,
        timestamped: hasTimestampedRows(store),
        inMemory: store.inMemory === true,
        changelogTopic: store.logging ? changelogTopic(config.applicationId, store.name) : null,
        ...segmentOptions(store),
        ...(store.type === 'suppress-buffer' && { changelogVersion: SUPPRESS_CHANGELOG_VERSION }),
        ...(store.rocksdb !== undefined && { rocksdb: store.rocksdb }),
      })),
      ...tiers.databaseStores,
    ],
    flushEveryRecords: config.flushEveryRecords,
    flushIntervalMs: config.flushIntervalMs,
    rocksdb: config.rocksdb,
  }
}
