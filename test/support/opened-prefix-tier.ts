import { type StateMemory, TaskDatabase } from '../../src/native.ts'
import { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { prefixFrameBytes, prefixOfFrame } from '../../src/serde/prefix-key.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import type { PrefixTier, TierPrefixRow, TierRow } from '../../src/state/store-tier.ts'
import { TieredByPrefixStore } from '../../src/state/tiered-by-prefix-store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'

/** A second tier: rows by the texts of their prefixes and rests. */
export class RememberingPrefixTier implements PrefixTier {
  readonly #prefixes = new Map<string, Map<string, TierPrefixRow>>()
  reads: string[] = []
  rowsMax = 3
  /** Answers come then, of what was there when they were asked for. */
  gate: Promise<void> = Promise.resolve()

  set(prefix: string, rest: string, value: string): void {
    this.#put(prefix, rest, Buffer.from(value), 5)
  }

  readonly watermark = 0
  readonly changed = 0

  onItsWay(): undefined {
    return undefined
  }

  prefixOnItsWay(): Iterable<never> {
    return []
  }

  readonly #changed = new Set<string>()

  put(id: string): void {
    this.#changed.add(id)
  }

  committed(_: number, rowOf: (key: Buffer) => TierRow | null): void {
    for (const id of this.#changed) {
      const key = Buffer.from(id, 'latin1')
      const { value, timestampMs } = rowOf(key) ?? { value: null, timestampMs: 0 }
      const middle = prefixFrameBytes(key)
      const prefix = prefixOfFrame(key.subarray(0, middle)).toString()
      this.#put(prefix, key.toString('utf8', middle), value, timestampMs)
    }
    this.#changed.clear()
  }

  discard(): void {
    this.#changed.clear()
  }

  async settled(): Promise<void> {}

  async readPrefix(prefix: Buffer): Promise<readonly TierPrefixRow[] | null> {
    this.reads.push(prefix.toString())
    const rows = this.#prefixes.get(prefix.toString()) ?? new Map<string, TierPrefixRow>()
    const answer =
      rows.size > this.rowsMax ? null : [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
    await this.gate
    return answer
  }

  close(): void {}

  #put(prefix: string, rest: string, value: Buffer | null, timestampMs: number): void {
    const rows = this.#prefixes.get(prefix) ?? new Map<string, TierPrefixRow>()
    this.#prefixes.set(prefix, rows)
    if (value === null) rows.delete(rest)
    else rows.set(rest, { rest: Buffer.from(rest), value, timestampMs })
  }
}

/** A tiered store by prefix over a database of its own, without a changelog. Rests and values are texts. */
export async function openPrefixTier<P>(definition: StoreDefinition, path: string, memory: StateMemory) {
  const tiers = new LocalTiers([definition])
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
  const store = new TieredByPrefixStore<P, string, string>(definition, {
    database,
    index: 0,
    lowerIndex: tiers.lowerIndex(definition)!,
    budget: new CacheBudget(1 << 20),
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
