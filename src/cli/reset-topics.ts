import { WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { realTopic } from '../topology/topic-names.ts'
import { internalTopicMatcher, withMatchedTopics } from '../topology/topic-patterns.ts'

/** What the resetter's user says of the topics. */
export interface NamedTopics {
  /** null: all source topics. */
  readonly inputTopics: readonly string[] | null
  readonly internalTopics: readonly string[]
}

export interface ResetTopics {
  /** Source topics whose offsets are set. */
  readonly inputs: readonly string[]
  /** Source topics of the topology that do not exist. */
  readonly missing: readonly string[]
  /** Internal topics that are deleted. */
  readonly deleted: readonly string[]
  /** Topics that may be the application's by their names, and are left alone: nobody said that they are. */
  readonly leftAlone: readonly string[]
}

/** Names that internal topics have in every application. As Kafka's StreamsResetter. */
const internalSuffix =
  /-(changelog|repartition|subscription-registration-topic|subscription-response-topic)$|-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-[0-9]+-topic$/

/**
 * Which topics a reset concerns. The prefix says little, since `app-2-counts-changelog` may belong to application `app` as to `app-2`: deleted is
 * only what the topology makes itself, or what was named.
 *
 * @param topology null: none was given
 * @param existing every topic of the cluster
 * @param committed topics of which the group has offsets: without a topology they are the source topics
 * @throws WeirError config-invalid, source-topic-missing
 */
export function resetTopics(
  applicationId: string,
  built: TopologyDefinition | null,
  named: NamedTopics,
  existing: ReadonlySet<string>,
  committed: Iterable<string>,
): ResetTopics {
  const looksInternal = (topic: string): boolean =>
    topic.startsWith(`${applicationId}-`) && internalSuffix.test(topic)
  const topology = built === null ? null : withMatchedTopics(built, applicationId, existing)
  const isOwn = topology === null ? () => false : internalTopicMatcher(topology, applicationId)
  const sources =
    topology === null
      ? [...committed].filter((topic) => !looksInternal(topic))
      : topology.subtopologies
          .flatMap(({ sourceTopics }) => sourceTopics)
          .map((topic) => realTopic(topology, applicationId, topic))
          .filter((topic) => !isOwn(topic))

  const inputs = [...new Set(named.inputTopics ?? sources)]
  for (const topic of named.inputTopics ?? []) {
    if (topology !== null && !sources.includes(topic))
      throw new WeirError(
        'config-invalid',
        `--input-topics ${topic}: the topology does not read it; it reads ${sources.join(', ')}`,
      )
    if (!existing.has(topic))
      throw new WeirError('source-topic-missing', `--input-topics ${topic}: there is no such topic`)
  }
  for (const topic of named.internalTopics) {
    if (!looksInternal(topic) || inputs.includes(topic) || sources.includes(topic))
      throw new WeirError(
        'config-invalid',
        `--internal-topics ${topic}: no internal topic of ${applicationId}: such a one is called ${applicationId}-...-changelog or ${applicationId}-...-repartition`,
      )
    if (!existing.has(topic))
      throw new WeirError('topic-missing', `--internal-topics ${topic}: there is no such topic`)
  }
  const deleted = [...existing].filter((topic) => isOwn(topic) || named.internalTopics.includes(topic))
  return {
    inputs: inputs.filter((topic) => existing.has(topic)).sort(),
    missing: inputs.filter((topic) => !existing.has(topic)).sort(),
    deleted: deleted.sort(),
    leftAlone: [...existing]
      .filter((topic) => looksInternal(topic) && !deleted.includes(topic) && !inputs.includes(topic))
      .sort(),
  }
}
