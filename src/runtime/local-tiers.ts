import { CassandraTier } from '../cassandra/cassandra-tier.ts'
import type { RowReads } from '../cassandra/row-reader.ts'
import type { TaskRows } from '../cassandra/row-write.ts'
import type { RestoreStore, StoreOptions, TaskDatabase } from '../native.ts'
import type { TieredStore } from '../state/tiered-store.ts'
import type { StoreDefinition, TierDefinition } from '../topology/definition.ts'

/** A task does not go on without a commit when so many rows of a tiered store have changed: each is a request to Cassandra. */
const CHANGED_ROWS_MAX = 4_096

/** Their sum is what a store takes. */
const SIZES = ['rocksdb.live-sst-files-size', 'rocksdb.cur-size-all-mem-tables', 'weir.overlay-bytes']

interface LocalTier {
  readonly definition: StoreDefinition
  readonly tier: TierDefinition
  /** Indexes in the database: of what was put, which is the definition's, and of what was loaded. */
  readonly written: number
  readonly loaded: number
}

/** What connects a task's tiered stores with Cassandra. */
export interface TierConnection {
  readonly taskId: string
  readonly rows: TaskRows
  readonly reads: RowReads
  /** How often the task has started. */
  readonly starts: number
}

/**
 * The tiered stores of a task as its database has them: each is two stores, for what was put and for what was loaded from Cassandra. Either is emptied as a whole when it has grown
 * to its half of what the store may take here.
 */
export class LocalTiers {
  readonly #tiers: readonly LocalTier[]
  readonly #stores = new Map<LocalTier, TieredStore<unknown, unknown>>()
  readonly #evicted: (store: string) => void

  /**
   * @param definitions of all of the task's stores, in their order in the database
   * @param evicted counts. Default: nobody does
   */
  constructor(definitions: readonly StoreDefinition[], evicted: (store: string) => void = () => {}) {
    this.#evicted = evicted
    const tiers: LocalTier[] = []
    for (const [written, definition] of definitions.entries()) {
      const { tier } = definition
      if (tier === undefined) continue
      tiers.push({ definition, tier, written, loaded: definitions.length + tiers.length })
    }
    this.#tiers = tiers
  }

  /** Of the database's stores besides those that the task's definition has; they come after them. */
  get databaseStores(): StoreOptions[] {
    return this.#tiers.map(({ definition: { name, rocksdb } }) => ({
      // No store of a topology has such a name.
      name: `${name}#loaded`,
      timestamped: true,
      inMemory: false,
      changelogTopic: null,
      ...(rocksdb !== undefined && { rocksdb }),
    }))
  }

  /** Where the store has what was loaded; undefined for a store that is not tiered. */
  lowerIndex(definition: StoreDefinition): number | undefined {
    return this.#tiers.find((one) => one.definition === definition)?.loaded
  }

  opened(definition: StoreDefinition, store: TieredStore<unknown, unknown>): void {
    this.#stores.set(this.#tiers.find((one) => one.definition === definition)!, store)
  }

  /** From now on the stores read and write Cassandra. */
  connect(connection: TierConnection): void {
    for (const [{ definition, tier }, store] of this.#stores)
      store.connect(new CassandraTier({ ...connection, store: definition.name, tier }))
  }

  /** So much has changed that a commit is due. */
  get wantsCommit(): boolean {
    for (const store of this.#stores.values()) if (store.cache.dirtyEntries >= CHANGED_ROWS_MAX) return true
    return false
  }

  /**
   * Prepares what is here of a store for its restore. Cassandra has all that the changelog has before `until`, so nothing of that is replayed into an empty store. And what was
   * loaded may be older than what is replayed.
   *
   * @returns the restore, which for a tiered store begins elsewhere
   */
  async prepareRestore(database: TaskDatabase, restore: RestoreStore): Promise<RestoreStore> {
    const tier = this.#tiers.find(({ written }) => written === restore.store)
    if (tier === undefined) return restore
    const { from, until } = restore
    if (from < 0 || until === undefined || from < until) await database.empty(tier.loaded)
    if (from >= 0) return restore
    await database.empty(tier.written)
    return until === undefined ? restore : { ...restore, from: until }
  }

  /** Empties what has grown too large. REQUIRES that all that was put is in Cassandra: just after a commit. */
  async evict(database: TaskDatabase, localBytesDefault: number): Promise<void> {
    if (this.#tiers.length === 0) return
    const sizes = database.storeProperties(SIZES)
    const bytesOf = (store: number): number =>
      SIZES.reduce((sum, _, index) => sum + sizes[store * SIZES.length + index]!, 0)
    for (const { definition, tier, written, loaded } of this.#tiers) {
      const { name } = definition
      const half = (tier.localBytesMax ?? localBytesDefault) / 2
      const isFull = bytesOf(written) > half
      // Below what was put there may be older rows, which must not come to light.
      if (!isFull && bytesOf(loaded) <= half) continue
      this.#evicted(name)
      await database.empty(loaded)
      if (isFull) await database.empty(written)
    }
  }
}
