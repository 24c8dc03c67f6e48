import type { TopologyDefinition } from './definition.ts'

/** Registered, so that a module that loads a second copy of the package is recognised all the same. */
const marker: unique symbol = Symbol.for('weir.topology') as never

/** What a topology module exports by default: what `defineTopology` returns, or a `Topology`. */
export interface TopologyModule {
  readonly [marker]: true
  /**
   * The checked topology; the same one at every call with the same optimization.
   *
   * @param optimization what WEIR_TOPOLOGY_OPTIMIZATION says, for a topology that does not say itself. Default: none
   * @throws TopologyError
   */
  build(optimization?: string): TopologyDefinition
  /** The text of Kafka Streams' `Topology.describe()`. */
  describe(optimization?: string): string
}

export { marker as topologyModuleMarker }

export function isTopologyModule(value: unknown): value is TopologyModule {
  return typeof value === 'object' && value !== null && (value as Partial<TopologyModule>)[marker] === true
}
