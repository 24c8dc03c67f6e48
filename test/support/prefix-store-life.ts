import assert from 'node:assert/strict'

import type { RowReader } from '../../src/cassandra/row-reader.ts'
import type { RowWriter } from '../../src/cassandra/row-writer.ts'
import { type Producer, type StateMemory, TaskDatabase } from '../../src/native.ts'
import { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { prefixFrame } from '../../src/serde/prefix-key.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { BacklogBudget } from '../../src/state/tier-backlog.ts'
import { TieredByPrefixStore } from '../../src/state/tiered-by-prefix-store.ts'
import { stores } from '../../src/topology/stores.ts'
import { replay, type TierLegacy } from './tier-legacy.ts'

export interface Surroundings {
  readonly memory: StateMemory
  readonly changelog: string
  readonly writer: RowWriter
  readonly reader: RowReader
  readonly cacheBytes: number
  readonly localBytesMax: number
  readonly producer: Producer
  /** As of ReplayOptions. */
  readonly knowsEnd: boolean
}

/** One member's time with the task of a tiered store by prefix. */
export class PrefixStoreLife {
  readonly store: TieredByPrefixStore<string, string, string>
  readonly #database: TaskDatabase
  readonly #tiers: LocalTiers
  readonly #budget: CacheBudget
  readonly #localBytesMax: number
  readonly #producer: Producer
  readonly #legacy: TierLegacy

  private constructor(
    store: TieredByPrefixStore<string, string, string>,
    database: TaskDatabase,
    tiers: LocalTiers,
    budget: CacheBudget,
    { localBytesMax, producer }: Surroundings,
    legacy: TierLegacy,
  ) {
    this.store = store
    this.#producer = producer
    this.#legacy = legacy
    this.#database = database
    this.#tiers = tiers
    this.#budget = budget
    this.#localBytesMax = localBytesMax
  }

  static async begin(
    disk: string,
    starts: number,
    surroundings: Surroundings,
    legacy: TierLegacy,
  ): Promise<PrefixStoreLife> {
    const { memory, changelog, writer, reader, cacheBytes, producer, knowsEnd } = surroundings
    const { watermark } = legacy
    const definition = stores.tieredByPrefix({
      name: 'orders',
      prefix: serdes.string,
      rest: serdes.string,
      value: serdes.string,
    })
    const tiers = new LocalTiers(
      [definition],
      new Map(watermark === undefined ? [] : [['orders', watermark]]),
    )
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
    tiers.connect({
      taskId: '0_0',
      rows: writer.open(),
      reads: reader,
      backlog: new BacklogBudget(1 << 20),
      starts,
      onWritten: () => {},
      onFailed: (error) => assert.fail(String(error)),
    })
    await replay(database, tiers, legacy, { topic: changelog, producer, knowsEnd, keyOf })
    return new PrefixStoreLife(store, database, tiers, budget, surroundings, legacy)
  }

  /** As a task's. @param changes since the last one, by prefix and rest with a slash between */
  async commit(changes: ReadonlyMap<string, string | null>): Promise<void> {
    this.store.flush()
    const [[, watermark] = ['', 0]] = this.#tiers.watermarks()
    await this.#database.drain(this.#producer)
    await this.#producer.flush(30_000)
    await this.#database.commit()
    this.#legacy.watermark = watermark
    this.#legacy.commits.push({ end: this.#database.committedOffsets()[0]!, changes })
    await this.#tiers.committed(this.#database, this.#localBytesMax)
  }

  settled(): Promise<void> {
    return this.#tiers.settled()
  }

  trim(): void {
    this.#budget.trim(this.store.cache)
  }

  /** Without what was not committed. */
  async end(): Promise<void> {
    this.store.discard()
    this.#database.discard()
    this.store.close()
    await this.#database.close()
  }
}

function keyOf(at: string): Buffer {
  const [prefix, rest] = at.split('/') as [string, string]
  return Buffer.concat([prefixFrame(Buffer.from(prefix)), Buffer.from(rest)])
}
