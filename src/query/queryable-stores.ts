import type { StoreDefinition, TopologyDefinition } from '../topology/definition.ts'
import { realTopic } from '../topology/topic-names.ts'
import { QueryError } from './query-error.ts'

/** A store, and whose it is. */
export interface PlacedStore {
  readonly definition: StoreDefinition
  /** null: a global store. */
  readonly subtopology: number | null
  /** By their real names: what its tasks read. */
  readonly inputTopics: ReadonlySet<string>
}

/** The stores of a topology by name. */
export class QueryableStores {
  readonly #stores = new Map<string, PlacedStore>()

  /** @param topology with serdes that are bound to their places */
  constructor(topology: TopologyDefinition, applicationId: string) {
    for (const { id, stores, sourceTopics } of topology.subtopologies) {
      const inputTopics = new Set(sourceTopics.map((name) => realTopic(topology, applicationId, name)))
      for (const definition of stores) {
        // Nobody but its operator knows what is in there.
        if (definition.type === 'suppress-buffer') continue
        this.#stores.set(definition.name, { definition, subtopology: id, inputTopics })
      }
    }
    for (const { store } of topology.globalStores ?? [])
      this.#stores.set(store.name, { definition: store, subtopology: null, inputTopics: new Set() })
  }

  all(): Iterable<PlacedStore> {
    return this.#stores.values()
  }

  /** @throws QueryError does-not-exist */
  get(name: string): PlacedStore {
    const store = this.#stores.get(name)
    if (store !== undefined) return store
    const names = [...this.#stores.keys()]
    const known = names.length === 0 ? 'the topology has none' : `there are ${names.join(', ')}`
    throw new QueryError('does-not-exist', `there is no store ${name}: ${known}`)
  }
}
