/** Sources that read every topic whose name matches a pattern: which those are is found out when the topology runs, and may change. */
import type { SourceDefinition, SubtopologyDefinition, TopologyDefinition } from './definition.ts'
import { copartitionGroups } from './subtopologies.ts'
import { changelogTopic, repartitionTopic } from './topic-names.ts'
import { TopologyError } from './topology-error.ts'

/** Brokers' own, which no pattern means. */
const BROKER_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/** Says whether a pattern matches a name as a whole, as Java's `Matcher.matches` does. */
export function wholeMatcher(pattern: RegExp): (name: string) => boolean {
  // With g or y a RegExp would go on where it ended last.
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
  return (name) => whole.test(name)
}

/** @throws TopologyError for a pattern that no name matches */
export function checkPattern(where: string, pattern: RegExp): void {
  if (pattern.source === '(?:)')
    throw new TopologyError(`${where}: the pattern is empty: it matches no topic's name`)
}

export function hasPatterns({ subtopologies }: TopologyDefinition): boolean {
  return subtopologies.some(({ nodes }) => nodes.some(isPatternSource))
}

/** Whether a source with a pattern reads such a topic. */
export function patternMatcher(
  topology: TopologyDefinition,
  applicationId: string,
): (topic: string) => boolean {
  const isMeant = meantTopics(topology, applicationId)
  const matchers = topology.subtopologies
    .flatMap(({ nodes }) => nodes.filter(isPatternSource))
    .map(({ pattern }) => wholeMatcher(pattern))
  return (topic) => isMeant(topic) && matchers.some((matches) => matches(topic))
}

/** Nobody means the brokers' own topics by a pattern, nor those that the application makes for itself. */
function meantTopics(topology: TopologyDefinition, applicationId: string): (topic: string) => boolean {
  const isInternal = internalTopicMatcher(topology, applicationId)
  return (topic) => !BROKER_TOPICS.has(topic) && !isInternal(topic)
}

/**
 * The topology with the topics that its patterns match.
 *
 * @param existing every topic's name
 * @throws TopologyError for a topic that two sources would read
 */
export function withMatchedTopics(
  topology: TopologyDefinition,
  applicationId: string,
  existing: Iterable<string>,
): TopologyDefinition {
  if (!hasPatterns(topology)) return topology
  const names = [...existing].filter(meantTopics(topology, applicationId)).sort()
  const readers = new Map<string, SourceDefinition>()
  const subtopologies = topology.subtopologies.map((subtopology): SubtopologyDefinition => {
    const nodes = subtopology.nodes.map((node) => {
      if (!isPatternSource(node)) return node
      const topics = names.filter(wholeMatcher(node.pattern))
      for (const topic of topics) {
        const other = readers.get(topic)
        if (other !== undefined) {
          throw new TopologyError(
            `topic ${topic} matches the patterns of two sources: ${other.pattern!.source} of ${other.name} and ${node.pattern.source} of ${node.name}; ` +
              'a topic is read by one',
          )
        }
        readers.set(topic, node)
      }
      return { ...node, topics }
    })
    const sourceTopics = nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []))
    return { ...subtopology, nodes, sourceTopics }
  })
  const byName = new Map(
    subtopologies.flatMap(({ nodes }) => nodes.map((node) => [node.name, node] as const)),
  )
  const groups = copartitionGroups(byName, topology.copartitionedSources ?? [])
  return {
    ...topology,
    subtopologies: subtopologies.map((subtopology) => ({
      ...subtopology,
      copartitionGroups: groups.filter(([topic]) => subtopology.sourceTopics.includes(topic!)),
    })),
  }
}

/** The topics of sources with patterns, in a topology that has them. */
export function matchedTopics({ subtopologies }: TopologyDefinition): string[] {
  return subtopologies.flatMap(({ nodes }) => nodes.filter(isPatternSource).flatMap(({ topics }) => topics))
}

function isPatternSource(node: {
  readonly kind: string
}): node is SourceDefinition & { readonly pattern: RegExp } {
  return node.kind === 'source' && (node as SourceDefinition).pattern !== undefined
}

/** The application's own topics. */
export function internalTopicMatcher(
  { subtopologies, repartitionTopics }: TopologyDefinition,
  applicationId: string,
): (topic: string) => boolean {
  const names = new Set([
    ...repartitionTopics.map(({ name }) => repartitionTopic(applicationId, name)),
    ...subtopologies.flatMap(({ stores }) => stores.map(({ name }) => changelogTopic(applicationId, name))),
  ])
  return (topic) => names.has(topic)
}
