import assert from 'node:assert/strict'

import type { RowReader } from '../../src/cassandra/row-reader.ts'
import type { TaskRows } from '../../src/cassandra/row-write.ts'
import type { RowWriter } from '../../src/cassandra/row-writer.ts'
import { type Producer, type StateMemory, TaskDatabase } from '../../src/native.ts'
import { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { TieredByPrefixStore } from '../../src/state/tiered-by-prefix-store.ts'
import { stores } from '../../src/topology/stores.ts'

export interface Surroundings {
  readonly memory: StateMemory
  readonly changelog: string
  readonly writer: RowWriter
  readonly reader: RowReader
  readonly cacheBytes: number
  readonly localBytesMax: number
}

/** One member's time with the task of a tiered store by prefix. */
export class PrefixStoreLife {
  readonly store: TieredByPrefixStore<string, string, string>
  readonly #rows: TaskRows
  readonly #database: TaskDatabase
  readonly #tiers: LocalTiers
  readonly #budget: CacheBudget
  readonly #localBytesMax: number

  private constructor(
    store: TieredByPrefixStore<string, string, string>,
    rows: TaskRows,
    database: TaskDatabase,
    tiers: LocalTiers,
    budget: CacheBudget,
    localBytesMax: number,
  ) {
    this.store = store
    this.#rows = rows
    this.#database = database
    this.#tiers = tiers
    this.#budget = budget
    this.#localBytesMax = localBytesMax
  }

  static async begin(
    disk: string,
    starts: number,
    { memory, changelog, writer, reader, cacheBytes, localBytesMax }: Surroundings,
  ): Promise<PrefixStoreLife> {
    const definition = stores.tieredByPrefix({
      name: 'orders',
      prefix: serdes.string,
      rest: serdes.string,
      value: serdes.string,
    })
    const tiers = new LocalTiers([definition])
    const database = await TaskDatabase.open(memory, {
      path: disk,
      partition: 0,
      stores: [
        { name: 'orders', timestamped: true, inMemory: false, changelogTopic: changelog },
        ...tiers.databaseStores,
      ],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
    const budget = new CacheBudget(cacheBytes)
    const store = new TieredByPrefixStore<string, string, string>(definition, {
      database,
      index: 0,
      lowerIndex: tiers.lowerIndex(definition)!,
      budget,
      overlayWriter: new OverlayWriter(),
      recordTimestamp: () => 7,
      onOverlayBytes: () => {},
    })
    tiers.opened(definition, store)
    const rows = writer.open()
    tiers.connect({ taskId: '0_0', rows, reads: reader, starts })
    return new PrefixStoreLife(store, rows, database, tiers, budget, localBytesMax)
  }

  /** As a task's. @returns false when Cassandra does not take the rows in time */
  async commit(producer: Producer): Promise<boolean> {
    this.store.flush()
    if (!(await this.#rows.settled(20))) return false
    assert.deepEqual(this.#rows.takeRefused(), [])
    await this.#database.drain(producer)
    await producer.flush(30_000)
    await this.#database.commit()
    await this.#tiers.evict(this.#database, this.#localBytesMax)
    return true
  }

  trim(): void {
    this.#budget.trim(this.store.cache)
  }

  /** Without what was not committed. */
  async end(): Promise<void> {
    this.store.discard()
    this.#database.discard()
    this.#rows.close()
    this.store.close()
    await this.#database.close()
  }
}
