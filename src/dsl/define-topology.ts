import type { TopologyDefinition } from '../topology/definition.ts'
import { checkOptimization, type OptimizationRule } from '../topology/optimization.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import type { Topology } from '../topology/topology.ts'
import { type TopologyModule, topologyModuleMarker } from '../topology/topology-module.ts'
import { StreamsBuilder } from './streams-builder.ts'

export interface TopologyOptions {
  readonly optimization?: string | readonly OptimizationRule[]
}

/**
 * Defines a topology in the DSL: what a topology module exports by default.
 *
 * @param define is called when the topology is first needed. It is called in every thread that runs the topology, so it must always
 *   define the same one
 * @param options.optimization which rewritings are wanted: `none`, `all`, rules with commas between them, or a list of rules (see
 *   OptimizationRule). Default: what WEIR_TOPOLOGY_OPTIMIZATION says, which is `none` by default. Kafka Streams' `topology.optimization`
 * @throws TopologyError for a rule that there is not; from `build` and `describe`, for a topology that contradicts itself
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
export function defineTopology(
  define: (builder: StreamsBuilder) => void,
  options: TopologyOptions = {},
): TopologyModule {
  const where = 'defineTopology'
  checkFunction(where, 'its argument', define)
  checkOptions(where, options, ['optimization'])
  const own = options.optimization === undefined ? null : checkOptimization(where, options.optimization)
  const topologies = new Map<string, Topology>()
  const built = (given = 'none'): Topology => {
    const chosen = own ?? checkOptimization(where, given)
    const key = chosen.join()
    let topology = topologies.get(key)
    if (topology === undefined) {
      const builder = new StreamsBuilder(chosen)
      define(builder)
      topology = builder.topology
      topologies.set(key, topology)
    }
    return topology
  }
  return {
    [topologyModuleMarker]: true,
    build: (given?: string): TopologyDefinition => built(given).build(),
    describe: (given?: string): string => built(given).describe(),
  }
}
