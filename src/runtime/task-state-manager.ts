import type { Config } from '../config/config.ts'
import { messageOf } from '../errors/weir-error.ts'
import {
  type NativeError,
  type RestoreJob,
  type RestoreProgress,
  type Restorer,
  type RestoreStore,
  type StateMemory,
  TaskDatabase,
} from '../native.ts'
import { type MeteredDatabase, meterDatabase } from '../observe/rocksdb-metrics.ts'
import type { CacheBudget } from '../state/cache-budget.ts'
import { openStore } from '../state/open-store.ts'
import type { OverlayWriter } from '../state/overlay-writer.ts'
import { hasTimestampedRows } from '../state/row-codec.ts'
import { segmentOptions } from '../state/segments.ts'
import type { StateStore } from '../state/state-store.ts'
import type { SubtopologyDefinition } from '../topology/definition.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import type { TopicInfo } from './protocol.ts'

const OFFSET_OUT_OF_RANGE = 'kafka:_AUTO_OFFSET_RESET'

/** An overlay's own bytes for a row. */
const OVERLAY_BYTES_PER_ROW = 80

/** What a task's state needs of its thread. */
export interface StateEnvironment {
  readonly config: Config
  readonly memory: StateMemory
  readonly restorer: Restorer
  readonly budget: CacheBudget
  readonly overlayWriter: OverlayWriter
  readonly topics: Readonly<Record<string, TopicInfo>>
  /** Of the thread. */
  readonly counters: { restoredRecords: number; recordsDropped: number }
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/**
 * A task's database and the stores in it: opening, restoring, draining, committing. Kafka Streams' ProcessorStateManager.
 *
 *   open -> restore -> { flush -> drain -> commit }* -> close
 */
export class TaskStateManager {
  readonly stores: ReadonlyMap<string, StateStore>
  readonly database: TaskDatabase
  readonly #definition: SubtopologyDefinition
  readonly #partition: number
  readonly #environment: StateEnvironment
  #restoreJob: RestoreJob | null = null
  /** Of the running job, as far as they are in the counters. */
  #countedRecords = 0
  overlayBytes = 0

  private constructor(
    definition: SubtopologyDefinition,
    partition: number,
    environment: StateEnvironment,
    database: TaskDatabase,
    recordTimestamp: () => number,
  ) {
    this.#definition = definition
    this.#partition = partition
    this.#environment = environment
    this.database = database
    const { budget, overlayWriter, counters } = environment
    const onOverlayBytes = (bytes: number): void => {
      this.overlayBytes = bytes
    }
    this.stores = new Map(
      definition.stores.map((store, index) => [
        store.name,
        openStore(store, {
          database,
          index,
          budget,
          overlayWriter,
          recordTimestamp,
          onOverlayBytes,
          onExpired: () => counters.recordsDropped++,
        }),
      ]),
    )
  }

  /** @param path the task's folder */
  static async open(
    definition: SubtopologyDefinition,
    partition: number,
    path: string,
    environment: StateEnvironment,
    recordTimestamp: () => number,
  ): Promise<TaskStateManager> {
    const { config, memory } = environment
    const database = await TaskDatabase.open(memory, {
      path,
      partition,
      stores: definition.stores.map((store) => ({
        name: store.name,
        timestamped: hasTimestampedRows(store),
        inMemory: store.inMemory === true,
        changelogTopic: store.logging ? changelogTopic(config.applicationId, store.name) : null,
        ...segmentOptions(store),
        ...(store.rocksdb !== undefined && { rocksdb: store.rocksdb }),
      })),
      flushEveryRecords: config.flushEveryRecords,
      flushIntervalMs: config.flushIntervalMs,
      rocksdb: config.rocksdb,
    })
    return new TaskStateManager(definition, partition, environment, database, recordTimestamp)
  }

  /** Replays what the changelogs have beyond the local rows. A store whose changelog is another topic by now begins anew. */
  async restore(): Promise<void> {
    const { config, topics } = this.#environment
    const offsets = new Map(this.database.offsets().map((offset) => [offset.store, offset]))
    const logged = this.#definition.stores.flatMap((store, index) =>
      store.logging ? [{ store, index }] : [],
    )
    if (logged.length === 0) return
    const restores: RestoreStore[] = logged.map(({ store, index }) => {
      const topic = changelogTopic(config.applicationId, store.name)
      const topicId = topics[topic]?.id ?? ''
      const local = offsets.get(store.name)
      const sameTopic =
        local !== undefined && (local.topicId === '' || topicId === '' || local.topicId === topicId)
      return { store: index, topic, partition: this.#partition, topicId, from: sameTopic ? local.offset : -1 }
    })
    try {
      await this.#replay(restores)
    } catch (error) {
      if ((error as Partial<NativeError>).code !== OFFSET_OUT_OF_RANGE) throw error
      // The changelog was truncated or made anew: what is here cannot be told from what is gone.
      this.#environment.warn('local state does not fit its changelog: it is restored from the beginning', {
        partition: this.#partition,
        reason: messageOf(error),
      })
      await this.#replay(restores.map((store) => ({ ...store, from: -1 })))
    }
  }

  async #replay(restores: readonly RestoreStore[]): Promise<void> {
    this.#restoreJob = this.#environment.restorer.restore(this.database, restores)
    try {
      await this.#restoreJob.done
    } finally {
      this.#restoreProgress()
      this.#restoreJob = null
      this.#countedRecords = 0
    }
  }

  /** Of the running restore; counts what was restored since it was asked last. */
  #restoreProgress(): readonly RestoreProgress[] {
    const progress = this.#restoreJob?.progress() ?? []
    const restored = progress.reduce((sum, { restoredRecords }) => sum + restoredRecords, 0)
    this.#environment.counters.restoredRecords += Math.max(0, restored - this.#countedRecords)
    this.#countedRecords = restored
    return progress
  }

  /** Ends a restore at its next batch. */
  stopRestore(): void {
    this.#restoreJob?.stop()
  }

  get restoreRemaining(): number {
    let remaining = 0
    for (const { position, end } of this.#restoreProgress()) remaining += Math.max(0, end - position)
    return remaining
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
    for (const { cache } of this.stores.values()) {
      bytes += cache.dirtyBytes + cache.dirtyEntries * OVERLAY_BYTES_PER_ROW
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
    for (const store of this.stores.values()) store.flush()
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
