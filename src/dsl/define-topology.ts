import type { ErrorHandlers } from '../process/error-handlers.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { ERROR_HANDLER_OPTIONS, errorHandlers } from '../topology/error-handlers.ts'
import { checkOptimization, type OptimizationRule } from '../topology/optimization.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import type { Topology } from '../topology/topology.ts'
import { type TopologyModule, topologyModuleMarker } from '../topology/topology-module.ts'
import { StreamsBuilder } from './streams-builder.ts'

export interface TopologyOptions extends ErrorHandlers {
  readonly optimization?: string | readonly OptimizationRule[]
}

/**
 * Defines a topology in the DSL: what a topology module exports by default.
 *
 * @param define is called when the topology is first needed. It is called in every thread that runs the topology, so it must always
 *   define the same one
 * @param options.optimization which rewritings are wanted: `none`, `all`, rules with commas between them, or a list of rules (see
 *   OptimizationRule). Default: what WEIR_TOPOLOGY_OPTIMIZATION says, which is `none` by default. Kafka Streams' `topology.optimization`
 * @param options.deserializationExceptionHandler, options.processingExceptionHandler, options.productionExceptionHandler what becomes of a
 *   record that cannot be read, processed or written, and `options.deadLetterTopics` where they may write it. Default: what
 *   WEIR_DESERIALIZATION_EXCEPTION_HANDLER and the others say. See docs/errors.md
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
  checkOptions(where, options, ['optimization', ...ERROR_HANDLER_OPTIONS])
  const handlers = errorHandlers(where, options)
  const own = options.optimization === undefined ? null : checkOptimization(where, options.optimization)
  const topologies = new Map<string, Topology>()
  const definitions = new Map<Topology, TopologyDefinition>()
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
    build: (given?: string): TopologyDefinition => {
      const topology = built(given)
      let definition = definitions.get(topology)
      if (definition === undefined) {
        definition = { ...topology.build(), ...(handlers !== undefined && { errorHandlers: handlers }) }
        definitions.set(topology, definition)
      }
      return definition
    },
    describe: (given?: string): string => built(given).describe(),
  }
}
