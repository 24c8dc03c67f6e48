import type { TopologyDefinition } from './definition.ts'

/** Registered, so that a module that loads a second copy of the package is recognised all the same. */
const marker: unique symbol = Symbol.for('weir.topology') as never

/** What a topology module exports by default: what `defineTopology` returns, or a `Topology`. */
export interface TopologyModule {
  readonly [marker]: true
  /**
   * The checked topology; the same one at every call.
   *
   * @throws TopologyError
   */
  build(): TopologyDefinition
  /** The text of Kafka Streams' `Topology.describe()`. */
  describe(): string
}

export { marker as topologyModuleMarker }

export function isTopologyModule(value: unknown): value is TopologyModule {
  return typeof value === 'object' && value !== null && (value as Partial<TopologyModule>)[marker] === true
}
