import type { Serde } from '../serde/serde.ts'
import { valueView } from '../state/read-only-view.ts'
import type {
  KeyValueStore,
  ReadOnlyKeyValueStore,
  Store,
  StoreIterator,
  TimestampedKeyValueStore,
} from '../state/store.ts'
import type { StoreDefinition, StoreType } from '../topology/definition.ts'

/** How a test asks for each type of store. */
export const STORE_METHODS: Readonly<Record<StoreType, string>> = {
  'key-value': 'keyValueStore',
  'timestamped-key-value': 'timestampedKeyValueStore',
  'tiered-key-value': 'tieredKeyValueStore',
  'tiered-by-prefix': 'tieredPrefixStore',
  window: 'windowStore',
  'timestamped-window': 'timestampedWindowStore',
  session: 'sessionStore',
  versioned: 'versionedStore',
  'suppress-buffer': 'stateStore',
}

/** Kafka's ConsumerRecord.NO_TIMESTAMP. */
const NO_TIMESTAMP = -1

/** A table's store as one of plain values. Kafka Streams' TopologyTestDriver.KeyValueStoreFacade. */
export class ValueStore<K, V> implements KeyValueStore<K, V> {
  readonly name: string
  readonly #store: TimestampedKeyValueStore<K, V>
  readonly #view: ReadOnlyKeyValueStore<K, V>

  constructor(store: TimestampedKeyValueStore<K, V>) {
    this.name = store.name
    this.#store = store
    this.#view = valueView(store)
  }

  get(key: K): V | null {
    return this.#view.get(key)
  }

  put(key: K, value: V | null): void {
    this.#store.update(key, value, NO_TIMESTAMP)
  }

  putIfAbsent(key: K, value: V): V | null {
    const present = this.get(key)
    if (present === null) this.put(key, value)
    return present
  }

  delete(key: K): V | null {
    const present = this.get(key)
    this.put(key, null)
    return present
  }

  range(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#view.range(from, to)
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#view.reverseRange(from, to)
  }

  all(): StoreIterator<K, V> {
    return this.#view.all()
  }

  reverseAll(): StoreIterator<K, V> {
    return this.#view.reverseAll()
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<K, V> {
    return this.#view.prefixScan(prefix, serde)
  }

  approximateEntryCount(): number {
    return this.#view.approximateEntryCount()
  }
}

/** The store of one of these types. @throws TypeError that names the method for the type that it is of */
export function storeOfType<S extends Store>(
  definition: StoreDefinition,
  store: Store,
  types: readonly StoreType[],
): S {
  if (types.includes(definition.type)) return store as S
  throw new TypeError(
    `store ${definition.name} is a ${definition.type} store: ask for it by ${STORE_METHODS[definition.type]}`,
  )
}
