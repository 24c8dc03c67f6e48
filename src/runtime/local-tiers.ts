import { CassandraTier, type TierConnection } from '../cassandra/cassandra-tier.ts'
import type { RestoreStore, StoreOptions, TaskDatabase } from '../native.ts'
import { RowScan } from '../state/row-scan.ts'
import { ScanCursors } from '../state/scan-cursors.ts'
import type { TieredStateStore, TierRow } from '../state/store-tier.ts'
import type { BacklogBudget } from '../state/tier-backlog.ts'
import { tierRow } from '../state/tiered-rows.ts'
import type { StoreDefinition, TierDefinition } from '../topology/definition.ts'
import { loadedName } from '../topology/tiered-stores.ts'

/**
 * A task does not go on without a commit when so many rows of its tiered stores have changed: they take memory until they are in Cassandra. Not fewer, since a row that changes between
 * two commits is written once for both.
 */
const CHANGED_ROWS_MAX = 32_768

/** Their sum is what a store takes. */
const SIZES = ['rocksdb.live-sst-files-size', 'rocksdb.cur-size-all-mem-tables', 'weir.overlay-bytes']

interface LocalTier {
  readonly definition: StoreDefinition
  readonly tier: TierDefinition
  /** Indexes in the database: of what was put, which is the definition's, and of what was loaded. */
  readonly written: number
  readonly loaded: number
  /** Everything was replayed that Cassandra does not have yet, and nothing else is here. */
  isAnew: boolean
}

/**
 * The tiered stores of a task as its database has them: each is two stores, for what was put and for what was loaded from Cassandra. Either is emptied as a whole when it has grown
 * to its half of what the store may take here.
 */
export class LocalTiers {
  readonly #tiers: readonly LocalTier[]
  readonly #stores = new Map<LocalTier, TieredStateStore>()
  #backlog: BacklogBudget | null = null
  readonly #watermarks: ReadonlyMap<string, number>
  readonly #evicted: (store: string) => void

  /**
   * @param definitions of all of the task's stores, in their order in the database
   * @param watermarks by store: up to where Cassandra has what its changelog says, as committed. Default: none is known
   * @param evicted counts. Default: nobody does
   */
  constructor(
    definitions: readonly StoreDefinition[],
    watermarks: ReadonlyMap<string, number> = new Map(),
    evicted: (store: string) => void = () => {},
  ) {
    this.#watermarks = watermarks
    this.#evicted = evicted
    const tiers: LocalTier[] = []
    for (const [written, definition] of definitions.entries()) {
      const { tier } = definition
      if (tier === undefined) continue
      tiers.push({ definition, tier, written, loaded: definitions.length + tiers.length, isAnew: false })
    }
    this.#tiers = tiers
  }

  /** Of the database's stores besides those that the task's definition has; they come after them. */
  get databaseStores(): StoreOptions[] {
    return this.#tiers.map(({ definition: { name, rocksdb } }) => ({
      name: loadedName(name),
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

  opened(definition: StoreDefinition, store: TieredStateStore): void {
    this.#stores.set(this.#tiers.find((one) => one.definition === definition)!, store)
  }

  /** From now on the stores read and write Cassandra. */
  connect(connection: TierConnection): void {
    this.#backlog = connection.backlog
    for (const [{ definition, tier }, store] of this.#stores) {
      const { name } = definition
      const watermark = this.#watermarks.get(name) ?? 0
      store.connect(new CassandraTier({ ...connection, store: name, tier, watermark }))
    }
  }

  /** So much has changed that a commit is due: what is not committed cannot go to Cassandra, and make room. */
  get isLarge(): boolean {
    const changes = this.#changes
    return changes >= CHANGED_ROWS_MAX || (changes > 0 && this.isFull && this.#backlog!.rows === 0)
  }

  /** What a commit would let go on has no room yet among what waits for Cassandra. */
  get waitsForRoom(): boolean {
    return this.#stores.size > 0 && this.#backlog?.hasRoomFor(this.#changes) === false
  }

  /** Too much waits for Cassandra: no further record is to be processed. */
  get isFull(): boolean {
    if (this.#stores.size === 0 || this.#backlog === null) return false
    return this.#backlog.isFull || (this.#changes >= CHANGED_ROWS_MAX && this.waitsForRoom)
  }

  /** Rows that have changed since the last commit. */
  get #changes(): number {
    let changes = 0
    for (const { cache, tier } of this.#stores.values())
      if (tier !== null) changes += cache.dirtyEntries + tier.changed
    return changes
  }

  /** Resolves when Cassandra has all that is committed, or never will. */
  async settled(): Promise<void> {
    for (const { tier } of this.#stores.values()) await tier?.settled()
  }

  /** By store: up to where Cassandra has what its changelog says, now. */
  *watermarks(): Iterable<readonly [store: string, offset: number]> {
    for (const [{ definition }, { tier }] of this.#stores)
      if (tier !== null) yield [definition.name, tier.watermark]
  }

  /**
   * Prepares what is here of a store for its restore. What Cassandra does not have yet is to be written there, so it has to be known: unless Cassandra has all that the changelog has, the
   * store is emptied and has nothing but that afterwards.
   *
   * @returns the restore, which for a tiered store begins elsewhere
   */
  async prepareRestore(database: TaskDatabase, restore: RestoreStore): Promise<RestoreStore> {
    const tier = this.#tiers.find(({ written }) => written === restore.store)
    if (tier === undefined) return restore
    const { from, until } = restore
    const watermark = this.#watermarks.get(tier.definition.name)
    if (until !== undefined && from === until && watermark === until) return restore
    await database.empty(tier.loaded)
    await database.empty(tier.written)
    tier.isAnew = true
    return { ...restore, from: watermark ?? -1, stale: false }
  }

  /** Has everything that was replayed written to Cassandra. REQUIRES that the stores are connected, or never will be, and restored. */
  restored(database: TaskDatabase): void {
    const offsets = database.committedOffsets()
    for (const [tier, { tier: second }] of this.#stores) {
      if (second === null) continue
      if (tier.isAnew) {
        using rows = new RowScan(
          new ScanCursors(database, tier.written),
          { from: null, to: null },
          false,
          (buffer, keyStart, keyEnd) => ({ key: buffer.latin1Slice(keyStart, keyEnd), value: null }),
          () => {},
        )
        for (const { key } of rows) second.put(key)
        tier.isAnew = false
      }
      second.committed(offsets[tier.written]!, rowReader(database, tier.written))
    }
  }

  /** A commit is done: what was changed goes on to Cassandra, and what has grown too large here is emptied. */
  async committed(database: TaskDatabase, localBytesDefault: number): Promise<void> {
    if (this.#tiers.length === 0) return
    const offsets = database.committedOffsets()
    for (const [{ written }, { tier }] of this.#stores)
      tier?.committed(offsets[written]!, rowReader(database, written))
    const sizes = database.storeProperties(SIZES)
    const bytesOf = (store: number): number =>
      SIZES.reduce((sum, _, index) => sum + sizes[store * SIZES.length + index]!, 0)
    for (const one of this.#tiers) {
      const { definition, tier, written, loaded } = one
      const { name } = definition
      const half = (tier.localBytesMax ?? localBytesDefault) / 2
      const isFull = bytesOf(written) > half
      // Below what was put there may be older rows, which must not come to light.
      if (!isFull && bytesOf(loaded) <= half) continue
      this.#evicted(name)
      this.#stores.get(one)?.evicting?.()
      await database.empty(loaded)
      if (isFull) await database.empty(written)
    }
  }
}

/** What a store of the database has of keys that were put. */
function rowReader(database: TaskDatabase, store: number): (key: Buffer) => TierRow | null {
  let row = Buffer.allocUnsafe(4_096)
  return (key) => {
    let length = database.get(store, key, 0, key.length, row)
    if (length > row.length) {
      row = Buffer.allocUnsafe(2 * length)
      length = database.get(store, key, 0, key.length, row)
    }
    if (length < 0) throw new Error(`a row that was put is not in the database: key 0x${key.toString('hex')}`)
    return tierRow(row, 0, length)
  }
}
