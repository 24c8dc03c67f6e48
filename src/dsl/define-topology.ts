import type { TopologyDefinition } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import type { Topology } from '../topology/topology.ts'
import { type TopologyModule, topologyModuleMarker } from '../topology/topology-module.ts'
import { StreamsBuilder } from './streams-builder.ts'

/**
 * Defines a topology in the DSL: what a topology module exports by default.
 *
 * @param define is called once, when the topology is first needed. It is called in every thread that runs the topology, so it must always
 *   define the same one.
 * @throws TopologyError from `build` and `describe`, for a topology that contradicts itself
 *
 * @example
 * export default defineTopology((builder) => {
 *   builder
 *     .stream('words', { key: serdes.string, value: serdes.string })
 *     .groupBy(({ value }) => value, { key: serdes.string })
 *     .count({ store: 'counts' })
 *     .toStream()
 *     .to('counts')
 * })
 */
export function defineTopology(define: (builder: StreamsBuilder) => void): TopologyModule {
  checkFunction('defineTopology', 'its argument', define)
  let topology: Topology | null = null
  const built = (): Topology => {
    if (topology === null) {
      const builder = new StreamsBuilder()
      define(builder)
      topology = builder.topology
    }
    return topology
  }
  return {
    [topologyModuleMarker]: true,
    build: (): TopologyDefinition => built().build(),
    describe: (): string => built().describe(),
  }
}
