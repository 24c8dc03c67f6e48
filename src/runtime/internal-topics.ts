import type { Config } from '../config/config.ts'
import { decisionFor, errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopicDescription } from '../native.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { globalSubtopology } from '../topology/global-stores.ts'
import { hasPatterns, withMatchedTopics } from '../topology/topic-patterns.ts'
import { askCluster, type ClusterRequestOptions } from './cluster-requests.ts'
import { deadLetterTopics } from './error-policy.ts'
import type { Logger } from './logger.ts'
import type { TopicInfo } from './protocol.ts'
import { pause, TOPIC_VISIBLE_MS, whenTopicKnown } from './retry.ts'
import type { TopicAdmin } from './topic-admin.ts'
import { externalTopics, type InternalTopic, planTopics, type TopicPlan } from './topic-plan.ts'

/** One request's limit; a broker that is away is asked again. */
const REQUEST_TIMEOUT_MS = 10_000
/** A topic that was created a moment ago may not be known to every broker: it is missing only when it stays missing this long. */
const PROPAGATION_MS = 2_000
const POLL_MS = 200
/** Kafka's own. */
const DELETE_RETENTION_DEFAULT_MS = 86_400_000

export interface PrepareTopicsOptions extends ClusterRequestOptions {
  readonly config: Pick<
    Config,
    'applicationId' | 'bootstrapServers' | 'replicationFactor' | 'errorsDeadLetterQueueTopicName'
  >
  readonly admin: TopicAdmin
}

export interface PreparedTopics {
  /** With the topics that its patterns match. */
  readonly topology: TopologyDefinition
  readonly plan: TopicPlan
  /** Every topic that is read or written, by its real name. */
  readonly topics: Readonly<Record<string, TopicInfo>>
}

/**
 * Finds the topology's source and sink topics, those that its patterns match among them, counts its tasks, and creates and checks its internal topics.
 *
 * @throws WeirError source-topic-missing, topic-missing, copartition-mismatch, topic-not-created, changelog-partitions-wrong,
 * repartition-partitions-wrong, broker-unreachable, authentication-failed, authorization-failed
 */
export async function prepareTopics(
  built: TopologyDefinition,
  options: PrepareTopicsOptions,
): Promise<PreparedTopics> {
  const { config, logger } = options
  const topology = hasPatterns(built)
    ? withMatchedTopics(built, config.applicationId, await existingTopics(options))
    : built
  const external = externalTopics(topology)
  const deadLetters = deadLetterTopics(config, topology.errorHandlers)
  checkDeadLetterTopics(deadLetters, external.sources)
  const found = await describeExternal({ ...external, deadLetters }, options)
  const plan = planTopics(topology, config, new Map(found.map(({ name, partitions }) => [name, partitions])))
  warnOfUnequalSources(topology, found, logger)

  const names = plan.internalTopics.map(({ name }) => name)
  const existing = await describe(names, options)
  checkInternalTopics(plan.internalTopics, existing)
  const missing = plan.internalTopics.filter(({ name }) => !existing.some((topic) => topic.name === name))
  const internal =
    missing.length === 0 ? existing : await createInternalTopics(missing, plan.internalTopics, options)

  const changelogs = plan.internalTopics.filter(({ kind }) => kind === 'changelog').map(({ name }) => name)
  const reused = topology.subtopologies.flatMap(({ stores }) => stores.map(({ sourceTopic }) => sourceTopic))
  const restored = [
    ...reused.filter((topic) => topic !== undefined),
    ...globalSubtopology(topology).sourceTopics,
  ]
  const retentions = await deleteRetentions([...changelogs, ...new Set(restored)], options)
  const topics = Object.fromEntries(
    [...found, ...internal].map(({ name, partitions, id }) => {
      const deleteRetentionMs = retentions.get(name)
      return [name, { partitions, id, ...(deleteRetentionMs === undefined ? {} : { deleteRetentionMs }) }]
    }),
  )
  return { topology, plan, topics }
}

async function existingTopics(options: PrepareTopicsOptions): Promise<string[]> {
  const topics = await askCluster('listing topics', options, () =>
    options.admin.listTopics(REQUEST_TIMEOUT_MS),
  )
  return topics.map(({ name }) => name)
}

/** How long each topic that stores are restored from remembers a deletion at least; nothing for one whose settings are not told. */
async function deleteRetentions(
  names: readonly string[],
  options: PrepareTopicsOptions,
): Promise<ReadonlyMap<string, number>> {
  const retentions = new Map<string, number>()
  const ask = async (name: string): Promise<void> => {
    try {
      const configs = await askCluster('reading the settings of topics', options, () =>
        whenTopicKnown(() => options.admin.topicConfigs(name, REQUEST_TIMEOUT_MS), options.signal),
      )
      const text = configs['delete.retention.ms']
      // Without compaction no deletion is forgotten.
      const isCompacted = configs['cleanup.policy']?.includes('compact') ?? true
      if (text !== undefined && isCompacted) retentions.set(name, Number(text))
    } catch (error) {
      if (errorCodeOf(error) !== 'authorization-failed') throw error
      retentions.set(name, DELETE_RETENTION_DEFAULT_MS)
      options.logger.warn(
        { topic: name, assumedMs: DELETE_RETENTION_DEFAULT_MS },
        'an ACL hides delete.retention.ms of a changelog: the default is assumed',
      )
    }
  }
  await Promise.all(names.map(ask))
  return retentions
}

/** Asks for topics, for as long as the brokers may be unreachable. Missing ones are absent. */
function describe(
  names: readonly string[],
  options: PrepareTopicsOptions,
): Promise<readonly TopicDescription[]> {
  if (names.length === 0) return Promise.resolve([])
  return askCluster('describing topics', options, () =>
    options.admin.describeTopics(names, REQUEST_TIMEOUT_MS),
  )
}

async function describeExternal(
  {
    sources,
    sinks,
    deadLetters,
  }: ReturnType<typeof externalTopics> & { readonly deadLetters: readonly string[] },
  options: PrepareTopicsOptions,
): Promise<readonly TopicDescription[]> {
  const names = [...new Set([...sources, ...sinks, ...deadLetters])]
  const startedMs = performance.now()
  for (;;) {
    const found = await describe(names, options)
    const isMissing = (name: string): boolean => !found.some((topic) => topic.name === name)
    if (!names.some(isMissing)) return found
    if (performance.now() - startedMs >= PROPAGATION_MS || options.signal.aborted) {
      const missingSources = sources.filter(isMissing)
      const missingSinks = sinks.filter(isMissing)
      if (missingSources.length > 0) {
        throw new WeirError(
          'source-topic-missing',
          `${topicList('source topic', missingSources)} not exist; Weir creates internal topics only`,
        )
      }
      const [kind, missing] =
        missingSinks.length > 0
          ? ['output topic', missingSinks]
          : ['dead-letter topic', deadLetters.filter(isMissing)]
      throw new WeirError(
        'topic-missing',
        `${topicList(kind, missing)} not exist; Weir creates internal topics only`,
      )
    }
    await pause(POLL_MS, options.signal)
  }
}

/** @throws WeirError config-invalid for one that the topology reads: a record that cannot be read would be written there again and again */
function checkDeadLetterTopics(deadLetters: readonly string[], sources: readonly string[]): void {
  const read = deadLetters.find((topic) => sources.includes(topic))
  if (read === undefined) return
  throw new WeirError(
    'config-invalid',
    `dead-letter topic ${read}: the topology reads it; dead letters need a topic of their own`,
  )
}

function topicList(kind: string, names: readonly string[]): string {
  return names.length === 1 ? `${kind} ${names[0]} does` : `${kind}s ${names.join(', ')} do`
}

/** @throws WeirError changelog-partitions-wrong, repartition-partitions-wrong */
export function checkInternalTopics(
  planned: readonly InternalTopic[],
  existing: readonly TopicDescription[],
): void {
  for (const { kind, name, partitions } of planned) {
    const topic = existing.find((candidate) => candidate.name === name)
    if (topic === undefined || topic.partitions === partitions) continue
    const why =
      kind === 'changelog'
        ? 'its store has as many tasks: source topics have more or fewer partitions than when it was created'
        : 'as the topology has it'
    throw new WeirError(
      kind === 'changelog' ? 'changelog-partitions-wrong' : 'repartition-partitions-wrong',
      `internal topic ${name} has ${count(topic.partitions)}, but needs ${partitions}, ${why}; reset the application, or give it another WEIR_APPLICATION_ID`,
    )
  }
}

function count(partitions: number): string {
  return partitions === 1 ? '1 partition' : `${partitions} partitions`
}

async function createInternalTopics(
  missing: readonly InternalTopic[],
  all: readonly InternalTopic[],
  options: PrepareTopicsOptions,
): Promise<readonly TopicDescription[]> {
  const { admin, logger, signal } = options
  await askCluster('creating topics', options, async () => {
    const newTopics = missing.map(({ name, partitions, replicationFactor, config }) => ({
      name,
      partitions,
      replicationFactor,
      config,
    }))
    const failed = await admin.createTopics(newTopics, REQUEST_TIMEOUT_MS)
    // What waiting may cure is thrown last, so that it does not hide what it cannot.
    const [first] = [...failed].sort((a, b) => Number(isRetried(a.error)) - Number(isRetried(b.error)))
    if (first === undefined) return
    const { name, error } = first
    const code = errorCodeOf(error)
    if (isRetried(error)) throw error
    const { partitions, replicationFactor } = missing.find((topic) => topic.name === name)!
    const shape = `${count(partitions)}, replication factor ${replicationFactor === -1 ? "the broker's default" : replicationFactor}`
    throw new WeirError(
      code === 'authorization-failed' ? code : 'topic-not-created',
      `internal topic ${name} (${shape}) cannot be created: ${messageOf(error)}`,
      { cause: error },
    )
  })
  for (const { name, partitions, kind } of missing)
    logger.info({ topic: name, partitions }, `created the ${kind} topic`)

  const startedMs = performance.now()
  for (;;) {
    const found = await describe(
      all.map(({ name }) => name),
      options,
    )
    // Another process of the application may have created them in between, of an older topology.
    checkInternalTopics(all, found)
    if (found.length === all.length) return found
    if (performance.now() - startedMs >= TOPIC_VISIBLE_MS || signal.aborted) {
      const gone = all
        .filter(({ name }) => !found.some((topic) => topic.name === name))
        .map(({ name }) => name)
      throw new WeirError(
        'topic-not-created',
        `${topicList('internal topic', gone)} not appear after being created`,
      )
    }
    await pause(POLL_MS, signal)
  }
}

function isRetried(error: unknown): boolean {
  return decisionFor(error).next === 'retry'
}

/** The group's `range` assignor keeps only topics with equal counts together: with several processes such a task may get half its inputs. */
function warnOfUnequalSources(
  topology: TopologyDefinition,
  found: readonly TopicDescription[],
  logger: Logger,
): void {
  for (const { id, sourceTopics } of topology.subtopologies) {
    const inputs = found.filter(({ name }) => sourceTopics.includes(name))
    if (new Set(inputs.map(({ partitions }) => partitions)).size < 2) continue
    const partitions = Object.fromEntries(inputs.map((topic) => [topic.name, topic.partitions]))
    logger.warn(
      { subtopology: id, partitions },
      'topics that one sub-topology reads have different partition counts: it runs in a single process only',
    )
  }
}
