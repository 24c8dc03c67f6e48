import { WeirError } from '../../errors/weir-error.ts'
import { serdes } from '../../serde/serdes.ts'
import type { StoreDefinition, SubtopologyDefinition, TopologyDefinition } from '../../topology/definition.ts'
import { globalSubtopology } from '../../topology/global-stores.ts'

/** The task that fills the global stores, and its folder. */
export const GLOBAL_TASK = 'global'

/** How far each partition of a global store's topic has been read. In the same database as the rows, so that both are written, and lost, together. */
export const OFFSETS: StoreDefinition = {
  type: 'key-value',
  name: 'global offsets',
  key: serdes.string,
  value: serdes.json(),
  logging: false,
  changelogConfig: {},
}

/**
 * What the process's global task runs: the stores of the topology, by the same indexes in every thread, and {@link OFFSETS} behind them. The rows are
 * on disk whether or not `inMemory` was asked for: threads share no other memory.
 */
export function globalDefinition(topology: TopologyDefinition): SubtopologyDefinition {
  const { stores, ...rest } = globalSubtopology(topology)
  return { ...rest, stores: [...stores.map((store) => ({ ...store, inMemory: false })), OFFSETS] }
}

/** @throws WeirError topology-invalid for a global store that several threads could not read */
export function checkGlobalStores(moduleUrl: string, { globalStores = [] }: TopologyDefinition): void {
  for (const { store } of globalStores) {
    const { name, type, entriesMax } = store
    if (type !== 'key-value' && type !== 'timestamped-key-value')
      throw new WeirError(
        'topology-invalid',
        `${moduleUrl}: global store ${name} is a ${type} store; in an application a global store is a key-value store, timestamped or not`,
      )
    if (entriesMax !== undefined)
      throw new WeirError(
        'topology-invalid',
        `${moduleUrl}: global store ${name} has a limit of ${entriesMax} entries; in an application a global store has none`,
      )
  }
}
