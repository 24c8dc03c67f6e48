import { ConfigError } from '../config/config-error.ts'
import { describeTopology } from '../topology/describe.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { OPTIMIZATIONS_ALLOWED, parseOptimization } from '../topology/optimization.ts'
import { topologyGraph } from '../topology/topology-graph.ts'

export type DescriptionFormat = 'text' | 'json' | 'svg'

/**
 * `weir describe`: a topology as text, as data or as a picture.
 *
 * @param optimization what WEIR_TOPOLOGY_OPTIMIZATION says
 * @throws WeirError module-not-loaded or topology-invalid; ConfigError
 */
export async function describeModule(
  modulePath: string,
  format: DescriptionFormat,
  optimization = 'none',
): Promise<string> {
  if (parseOptimization(optimization) === null) {
    throw new ConfigError([`WEIR_TOPOLOGY_OPTIMIZATION=${optimization}: expected ${OPTIMIZATIONS_ALLOWED}`])
  }
  const topology = await loadTopology(moduleUrlOf(modulePath), optimization)
  switch (format) {
    case 'text':
      return describeTopology(topology)
    case 'json':
      return `${JSON.stringify(topologyGraph(topology), null, 2)}\n`
    case 'svg': {
      const { topologySvg } = await import('./topology-svg.ts')
      return topologySvg(topologyGraph(topology))
    }
  }
}
