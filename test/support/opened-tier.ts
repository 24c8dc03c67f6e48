import type { StateMemory } from '../../src/native.ts'
import { TaskDatabase } from '../../src/native.ts'
import { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import type { RowTier, TierRow } from '../../src/state/store-tier.ts'
import { TieredStore } from '../../src/state/tiered-store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'

/** A second tier: rows by their keys' text. */
export class RememberingTier implements RowTier {
  readonly rows = new Map<string, TierRow>()
  readonly reads: string[] = []
  /** Answers come then, of what was there when they were asked for. */
  gate: Promise<void> = Promise.resolve()

  readonly watermark = 0
  readonly changed = 0

  write(key: Buffer, row: TierRow | null): void {
    if (row === null) this.rows.delete(key.toString())
    else this.rows.set(key.toString(), row)
  }

  readonly #put = new Set<string>()

  put(id: string): void {
    this.#put.add(id)
  }

  committed(_: number, rowOf: (key: Buffer) => TierRow | null): void {
    for (const id of this.#put) {
      const key = Buffer.from(id, 'latin1')
      this.write(key, rowOf(key))
    }
    this.#put.clear()
  }

  onItsWay(): undefined {
    return undefined
  }

  discard(): void {
    this.#put.clear()
  }

  async settled(): Promise<void> {}

  nodeOf(): string {
    return ''
  }

  async readSome(keys: readonly Buffer[]): Promise<readonly (TierRow | null)[]> {
    const names = keys.map(String)
    this.reads.push(...names)
    const rows = names.map((name) => this.rows.get(name) ?? null)
    await this.gate
    return rows
  }

  close(): void {}
}

/** A tiered store over a database of its own, without a changelog. */
export async function openTier(
  definition: StoreDefinition,
  path: string,
  memory: StateMemory,
  watermarks?: ReadonlyMap<string, number>,
) {
  const tiers = new LocalTiers([definition], watermarks)
  const database = await TaskDatabase.open(memory, {
    path,
    partition: 0,
    stores: [
      { name: definition.name, timestamped: true, inMemory: false, changelogTopic: null },
      ...tiers.databaseStores,
    ],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  })
  const budget = new CacheBudget(1 << 20)
  const store = new TieredStore<unknown, unknown>(definition, {
    database,
    index: 0,
    lowerIndex: tiers.lowerIndex(definition)!,
    budget,
    overlayWriter: new OverlayWriter(),
    recordTimestamp: () => 7,
    onOverlayBytes: () => {},
  })
  tiers.opened(definition, store)
  const close = async (): Promise<void> => {
    store.close()
    await database.close()
  }
  return { tiers, database, store, close }
}
