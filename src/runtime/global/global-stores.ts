import { TaskDatabase } from '../../native.ts'
import type { CacheBudget } from '../../state/cache-budget.ts'
import { openStore } from '../../state/open-store.ts'
import type { OverlayWriter } from '../../state/overlay-writer.ts'
import { readOnlyStore } from '../../state/read-only-store.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { Store } from '../../state/store.ts'
import type { TopologyDefinition } from '../../topology/definition.ts'
import { globalDefinition, OFFSETS } from './definition.ts'
import type { GlobalStoresHandle } from './protocol.ts'

/**
 * A stream thread's view of the process's global stores: it reads what the global thread has committed, through a cache of decoded rows of its own, which
 * is dropped whenever something was committed. So a thread never sees a row older than one that it has seen. Used by one stream thread.
 */
export class GlobalStores {
  /** By name, as every processor sees them. */
  readonly stores: ReadonlyMap<string, Store>
  readonly #rows: readonly StateStore[]
  readonly #database: TaskDatabase
  readonly #budget: CacheBudget
  readonly #version: Int32Array
  #seen = -1

  constructor(
    topology: TopologyDefinition,
    { databaseId, version }: GlobalStoresHandle,
    budget: CacheBudget,
    overlayWriter: OverlayWriter,
  ) {
    const database = TaskDatabase.attach(databaseId)
    this.#database = database
    this.#budget = budget
    this.#version = new Int32Array(version)
    const definitions = globalDefinition(topology).stores.filter((store) => store !== OFFSETS)
    this.#rows = definitions.map((definition, index) =>
      openStore(definition, {
        database,
        index,
        budget,
        overlayWriter,
        recordTimestamp: () => 0,
        onOverlayBytes: () => {},
      }),
    )
    this.stores = new Map(
      this.#rows.map((store) => [store.name, readOnlyStore(store, 'it is a global store', this.#refresh)]),
    )
  }

  /** Between turns: closes scans that were left open, and brings the caches back under the thread's budget. */
  endTurn(): void {
    for (const store of this.#rows) {
      if (store.openScans.size > 0) store.closeScans()
      this.#budget.trim(store.cache)
    }
  }

  async close(): Promise<void> {
    for (const store of this.#rows) store.close()
    await this.#database.close()
  }

  /** All stores at once: a row of one must not be older than what was read from another. Odd: a write is under way. */
  readonly #refresh = (): void => {
    const version = Atomics.load(this.#version, 0)
    if (version === this.#seen && version % 2 === 0) return
    this.#seen = version
    for (const { cache } of this.#rows) cache.discard()
  }
}
