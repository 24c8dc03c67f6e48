/** Sources and sinks as data, from what their user gave. Each checks the options. */
import type { Partitioner, SinkDefinition, SourceDefinition, TopicChooser } from './definition.ts'
import type { SinkOptions, SourceOptions } from './node-options.ts'
import { checkFunction, checkName, checkNames, checkSerde } from './options.ts'
import type { SourceReads } from './source-topics.ts'
import { TopologyError } from './topology-error.ts'

const OFFSET_RESETS: readonly unknown[] = ['earliest', 'latest', 'none']

export function sourceDefinition<K, V>(
  where: string,
  name: string,
  { topics, pattern }: SourceReads,
  { key, value, offsetReset, timestampExtractor }: SourceOptions<K, V>,
): SourceDefinition {
  checkSerde(where, 'key', key)
  checkSerde(where, 'value', value)
  if (offsetReset !== undefined && !OFFSET_RESETS.includes(offsetReset)) {
    throw new TopologyError(
      `${where}: offsetReset is ${String(offsetReset)}; allowed: ${OFFSET_RESETS.join(', ')}`,
    )
  }
  if (timestampExtractor !== undefined) checkFunction(where, 'timestampExtractor', timestampExtractor)
  return {
    kind: 'source',
    name,
    topics,
    ...(pattern !== undefined && { pattern }),
    key,
    value,
    ...(offsetReset !== undefined && { offsetReset }),
    ...(timestampExtractor !== undefined && { timestampExtractor }),
  }
}

export function sinkDefinition<K, V>(
  where: string,
  name: string,
  parents: readonly string[],
  { topic, topics, key, value, partitioner }: SinkOptions<K, V>,
): SinkDefinition {
  const target = checkTarget(where, topic as string | TopicChooser, topics)
  checkSerde(where, 'key', key)
  checkSerde(where, 'value', value)
  if (partitioner !== undefined) checkFunction(where, 'partitioner', partitioner)
  return {
    kind: 'sink',
    name,
    parents,
    ...target,
    key,
    value,
    ...(partitioner !== undefined && { partitioner: partitioner as Partitioner }),
  }
}

function checkTarget(
  where: string,
  topic: string | TopicChooser,
  topics: readonly string[] | undefined,
): Pick<SinkDefinition, 'topic' | 'topics' | 'chooser'> {
  if (typeof topic !== 'function') {
    checkName(where, 'topic', topic)
    if (topics !== undefined)
      throw new TopologyError(`${where}: topics are given, but topic is none that chooses: it is ${topic}`)
    return { topic }
  }
  if (topics === undefined)
    throw new TopologyError(`${where}: a function chooses the topic: give { topics } that it may choose`)
  checkNames(where, 'topics', topics)
  for (const name of topics) checkName(where, 'a topic', name)
  if (topics.length === 0) throw new TopologyError(`${where}: topics is empty; allowed is at least one topic`)
  return { topic: topics[0]!, topics: [...new Set(topics)], chooser: topic }
}
