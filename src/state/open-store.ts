import type { StoreDefinition } from '../topology/definition.ts'
import { openKeyValueStore } from './rocksdb-key-value-store.ts'
import { RocksDbSessionStore } from './session-store.ts'
import type { StateStore } from './state-store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import { SuppressBuffer } from './suppress-buffer.ts'
import { TieredByPrefixStore } from './tiered-by-prefix-store.ts'
import { TieredStore } from './tiered-store.ts'
import { RocksDbVersionedStore } from './versioned-store.ts'
import { PlainWindowStore, TimestampedRowsWindowStore } from './window-store.ts'

/** A store over its task's database. */
export function openStore(definition: StoreDefinition, environment: StoreEnvironment): StateStore {
  switch (definition.type) {
    case 'window':
      return new PlainWindowStore(definition, environment)
    case 'timestamped-window':
      return new TimestampedRowsWindowStore(definition, environment)
    case 'session':
      return new RocksDbSessionStore(definition, environment)
    case 'versioned':
      return new RocksDbVersionedStore(definition, environment)
    case 'suppress-buffer':
      return new SuppressBuffer(definition, environment)
    case 'tiered-key-value':
      return new TieredStore(definition, environment)
    case 'tiered-by-prefix':
      return new TieredByPrefixStore(definition, environment)
    default:
      return openKeyValueStore(definition, environment)
  }
}
