import { WeirError } from '../errors/weir-error.ts'
import type { NewTopic } from '../native.ts'
import {
  type StoreDefinition,
  type SubtopologyDefinition,
  sinkTopics,
  type TopologyDefinition,
} from '../topology/definition.ts'
import { changelogTopic, realTopic, repartitionTopic } from '../topology/topic-names.ts'
import { hasPatterns } from '../topology/topic-patterns.ts'

export interface InternalTopic extends NewTopic {
  readonly kind: 'changelog' | 'repartition'
}

/** How many tasks there are, and which topics they need. Topics go by their real names. */
export interface TopicPlan {
  /** The tasks of each sub-topology, by its id: as many as its largest source topic has partitions. */
  readonly tasks: ReadonlyMap<number, number>
  /** The partition count of every source topic, repartition topics included. */
  readonly sources: ReadonlyMap<string, number>
  readonly internalTopics: readonly InternalTopic[]
}

/** The topics that a topology reads or writes and that somebody else has to create, by name. */
export function externalTopics(topology: TopologyDefinition): {
  readonly sources: string[]
  readonly sinks: string[]
} {
  const internal = new Set(topology.repartitionTopics.map(({ name }) => name))
  const sources = new Set<string>()
  const sinks = new Set<string>()
  for (const { sourceTopics, nodes } of topology.subtopologies) {
    for (const topic of sourceTopics) if (!internal.has(topic)) sources.add(topic)
    for (const node of nodes) {
      if (node.kind !== 'sink') continue
      for (const topic of sinkTopics(node)) if (!internal.has(topic)) sinks.add(topic)
    }
  }
  for (const { source } of topology.globalStores ?? []) for (const topic of source.topics) sources.add(topic)
  return { sources: [...sources], sinks: [...sinks].filter((topic) => !sources.has(topic)) }
}

/**
 * Counts partitions and tasks. A repartition topic has as many partitions as its own setting says, else as those it is joined with, else
 * as the sub-topologies that write it have tasks. Kafka Streams' RepartitionTopics and CopartitionedTopicsEnforcer.
 *
 * @param sourcePartitions of every external source topic
 * @throws WeirError copartition-mismatch, topology-invalid
 */
export function planTopics(
  topology: TopologyDefinition,
  settings: { readonly applicationId: string; readonly replicationFactor: number },
  sourcePartitions: ReadonlyMap<string, number>,
): TopicPlan {
  const { applicationId, replicationFactor } = settings
  const counts = new Map(sourcePartitions)
  countRepartitionTopics(topology, counts)
  for (const { copartitionGroups } of topology.subtopologies) {
    for (const group of copartitionGroups) enforceCopartitioning(topology, group, counts)
  }

  const tasks = new Map(
    topology.subtopologies.map((subtopology) => [subtopology.id, taskCount(subtopology, counts)]),
  )
  const repartition = topology.repartitionTopics
    .filter(({ name }) => counts.get(name)! > 0)
    .map(
      ({ name }): InternalTopic => ({
        kind: 'repartition',
        name: repartitionTopic(applicationId, name),
        partitions: counts.get(name)!,
        replicationFactor,
        config: repartitionConfig,
      }),
    )
  const changelogs = topology.subtopologies.flatMap(({ id, stores }) =>
    stores
      .filter(({ logging }) => logging && tasks.get(id)! > 0)
      .map(
        (store): InternalTopic => ({
          kind: 'changelog',
          name: changelogTopic(applicationId, store.name),
          partitions: tasks.get(id)!,
          replicationFactor,
          config: changelogConfig(store),
        }),
      ),
  )
  const sources = new Map<string, number>()
  for (const { sourceTopics } of topology.subtopologies) {
    for (const topic of sourceTopics)
      sources.set(realTopic(topology, applicationId, topic), counts.get(topic)!)
  }
  return { tasks, sources, internalTopics: [...repartition, ...changelogs] }
}

function taskCount({ sourceTopics }: SubtopologyDefinition, counts: ReadonlyMap<string, number>): number {
  return sourceTopics.reduce((most, topic) => Math.max(most, counts.get(topic) ?? 0), 0)
}

/**
 * A repartition topic may depend on another one, whose writer may stand anywhere: counted in rounds until no more can be. The two topics of a
 * foreign-key join depend on each other: where nothing else is left, what is known of a writer's sources counts.
 */
function countRepartitionTopics(topology: TopologyDefinition, counts: Map<string, number>): void {
  let open = topology.repartitionTopics.filter(({ name, partitions }) => {
    if (partitions !== null) counts.set(name, partitions)
    return partitions === null
  })
  let isComplete = true
  while (open.length > 0) {
    const left = open.filter(({ name }) => {
      const writers = topology.subtopologies.filter(({ nodes }) =>
        nodes.some((node) => node.kind === 'sink' && node.topic === name),
      )
      const known =
        !isComplete || writers.every(({ sourceTopics }) => sourceTopics.every((topic) => counts.has(topic)))
      const count = Math.max(0, ...writers.map((writer) => taskCount(writer, counts)))
      if (!known || count === 0) return true
      counts.set(name, count)
      return false
    })
    if (left.length === open.length && !isComplete) {
      // Nothing is written to them until a topic comes that a pattern matches.
      if (hasPatterns(topology)) {
        for (const { name } of left) counts.set(name, 0)
        return
      }
      const names = left.map(({ name }) => name).join(', ')
      throw new WeirError(
        'topology-invalid',
        `the partition count of ${names} cannot be derived: nothing that reads an existing topic writes it; give it a number`,
      )
    }
    isComplete = left.length < open.length
    open = left
  }
}

/** Topics of one group have the same count; a repartition topic without a number of its own takes it over. */
function enforceCopartitioning(
  topology: TopologyDefinition,
  group: readonly string[],
  counts: Map<string, number>,
): void {
  const derived = new Set(
    topology.repartitionTopics.filter(({ partitions }) => partitions === null).map(({ name }) => name),
  )
  const fixed = group.filter((topic) => !derived.has(topic))
  const [first] = fixed
  const count =
    first === undefined ? Math.max(...group.map((topic) => counts.get(topic)!)) : counts.get(first)!
  if (fixed.some((topic) => counts.get(topic) !== count)) {
    const list = fixed
      .map((topic) => `${topic} has ${counts.get(topic)} (${sourceOf(topology, topic)})`)
      .join(', ')
    throw new WeirError(
      'copartition-mismatch',
      `topics that are joined or merged by key need the same number of partitions: ${list}; repartition() brings a stream into as many as the other topic has`,
    )
  }
  for (const topic of group) if (derived.has(topic)) counts.set(topic, count)
}

function sourceOf({ subtopologies }: TopologyDefinition, topic: string): string {
  const nodes = subtopologies.flatMap((subtopology) => subtopology.nodes)
  return nodes.find((node) => node.kind === 'source' && node.topics.includes(topic))!.name
}

const repartitionConfig: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'segment.bytes': '52428800',
  'message.timestamp.type': 'CreateTime',
}

/** A window's changelog keeps its records a day longer than the store, whose stream time may be behind the brokers' clocks. */
const ADDITIONAL_RETENTION_MS = 24 * 60 * 60 * 1000

/** A version's changelog record is not compacted away while the store can be asked for it, and for so long beyond, for the same reason. */
const ADDITIONAL_COMPACTION_LAG_MS = 24 * 60 * 60 * 1000

function changelogConfig(store: StoreDefinition): Readonly<Record<string, string>> {
  return { ...cleanupConfig(store), 'message.timestamp.type': 'CreateTime', ...store.changelogConfig }
}

function cleanupConfig({ windows, versions, tier }: StoreDefinition): Readonly<Record<string, string>> {
  // What is in Cassandra is deleted; time says nothing about that.
  if (tier !== undefined) return { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
  if (windows !== undefined) {
    return {
      'cleanup.policy': 'compact,delete',
      'retention.ms': String(BigInt(windows.retentionMs) + BigInt(ADDITIONAL_RETENTION_MS)),
    }
  }
  if (versions === undefined) return { 'cleanup.policy': 'compact' }
  return {
    'cleanup.policy': 'compact',
    'min.compaction.lag.ms': String(versions.historyRetentionMs + ADDITIONAL_COMPACTION_LAG_MS),
  }
}
