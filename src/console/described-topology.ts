import { repartitionTopic } from '../topology/topic-names.ts'
import type { TopologyGraph } from '../topology/topology-graph.ts'
import { layoutTopology, type TopologyLayout } from '../topology/topology-layout.ts'

/** What the page draws: the topology as `weir describe --json` prints it, and where everything of it is. */
export interface DescribedTopology extends TopologyGraph {
  /** What metrics call a topic, by its name in the topology. Changelogs are left out. */
  readonly realTopics: Readonly<Record<string, string>>
  readonly layout: TopologyLayout
}

export function describedTopology(topology: TopologyGraph, applicationId: string): DescribedTopology {
  const drawn = topology.topics.filter(({ kind }) => kind !== 'changelog')
  return {
    ...topology,
    realTopics: Object.fromEntries(
      drawn.map(({ name, kind }) => [
        name,
        kind === 'repartition' ? repartitionTopic(applicationId, name) : name,
      ]),
    ),
    // Two lines in each box: its name and its rate.
    layout: layoutTopology(topology, {
      letterPx: 7.6,
      paddingPx: 12,
      boxHeightPx: 42,
      boxWidthMinPx: 104,
      titlePx: 20,
      marginPx: 12,
    }),
  }
}
