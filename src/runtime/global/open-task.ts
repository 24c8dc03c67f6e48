import { rm } from 'node:fs/promises'

import { decisionFor } from '../../errors/decision.ts'
import { WeirError } from '../../errors/weir-error.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../native.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { SubtopologyDefinition } from '../../topology/definition.ts'
import { tellReset } from '../state-restore.ts'
import type { Task } from '../task.ts'
import { TaskFactory, type TaskFactoryOptions, taskFolder } from '../task-factory.ts'
import { TaskStateManager } from '../task-state-manager.ts'
import { GLOBAL_TASK, OFFSETS } from './definition.ts'

/** A row of the store {@link OFFSETS}. */
export interface ReadOffset {
  /** The next offset to read. */
  readonly offset: number
  /** When the rows were as the topic had them, ms since 1970. */
  readonly writtenAtMs: number
  /** '' where the cluster cannot tell. */
  readonly topicId: string
}

export interface GlobalInput extends TopicPartitionOffset {
  /** Where the partition ended at the start. */
  readonly end: number
}

export interface OpenGlobalTaskOptions {
  readonly definition: SubtopologyDefinition
  /** For a topology of `definition` alone. */
  readonly factory: TaskFactoryOptions
  /** [earliest, end] */
  readonly watermarks: (input: TopicPartition) => Promise<[number, number]>
}

/** The key of an input's row in {@link OFFSETS}: a store that gets another topic, or another name, begins anew. */
export function offsetKey(definition: SubtopologyDefinition, { topic, partition }: TopicPartition): string {
  const index = definition.sourceTopics.indexOf(topic)
  return `${definition.stores[index]!.name}/${topic}/${partition}`
}

/**
 * Opens the task that fills the global stores, to read on from where its rows stand. Rows that are not certain to fit their topic are removed, and
 * all topics are read from their beginnings: the topic is another one, no longer holds the offset, may have forgotten deletions since, or was read with other serdes.
 */
export async function openGlobalTask(
  options: OpenGlobalTaskOptions,
): Promise<{ readonly task: Task; readonly inputs: readonly GlobalInput[] }> {
  try {
    return await open(options)
  } catch (error) {
    const { code, next } = decisionFor(error)
    if (next !== 'reset-state' && code !== 'store-changed') throw error
    const { factory, definition } = options
    await rm(taskFolder(factory.config, GLOBAL_TASK), { recursive: true, force: true })
    const stores = definition.stores.filter((store) => store !== OFFSETS).map(({ name }) => name)
    tellReset(factory, GLOBAL_TASK, new WeirError(code, (error as Error).message), stores)
    return await open(options)
  }
}

async function open(
  options: OpenGlobalTaskOptions,
): Promise<{ readonly task: Task; readonly inputs: readonly GlobalInput[] }> {
  const { definition, factory } = options
  const inputs = await startInputs(options, await readOffsets(options))
  const task = await new TaskFactory(factory).open({
    id: GLOBAL_TASK,
    subtopology: definition.id,
    partition: 0,
    epoch: 0,
    inputs,
  })
  try {
    await task.state!.restore()
    return { task, inputs }
  } catch (error) {
    await task.close()
    throw error
  }
}

/** Read by themselves: the task is told where to begin when it is made. */
async function readOffsets({
  definition,
  factory,
}: OpenGlobalTaskOptions): Promise<ReadonlyMap<string, ReadOffset>> {
  const folder = taskFolder(factory.config, GLOBAL_TASK)
  const only = { ...definition, stores: [OFFSETS] }
  const state = await TaskStateManager.open(only, 0, folder, [], factory, () => 0)
  try {
    const rows = state.stores.get(OFFSETS.name) as unknown as KeyValueStore<string, ReadOffset>
    return new Map([...rows.all()].map(({ key, value }) => [key, value]))
  } finally {
    await state.close()
  }
}

/** @throws WeirError changelog-recreated, offset-out-of-range, state-too-old: the rows are not to be used */
async function startInputs(
  { definition, factory, watermarks }: OpenGlobalTaskOptions,
  stored: ReadonlyMap<string, ReadOffset>,
): Promise<GlobalInput[]> {
  const nowMs = Date.now()
  const partitions = definition.sourceTopics.flatMap((topic) =>
    Array.from({ length: factory.topics[topic]!.partitions }, (_, partition) => ({ topic, partition })),
  )
  return await Promise.all(
    partitions.map(async (input) => {
      const [earliest, end] = await watermarks(input)
      const row = stored.get(offsetKey(definition, input))
      if (row === undefined) return { ...input, offset: earliest, end }
      const { id, deleteRetentionMs } = factory.topics[input.topic]!
      const what = `${input.topic} partition ${input.partition}`
      const { offset, writtenAtMs, topicId } = row
      if (topicId !== '' && id !== '' && topicId !== id)
        throw new WeirError('changelog-recreated', `topic ${input.topic} has id ${id} and had ${topicId}`)
      if (offset < earliest || offset > end)
        throw new WeirError('offset-out-of-range', `${what} has ${earliest} to ${end}, not offset ${offset}`)
      // Half: reading takes its time, and clocks differ.
      if (offset < end && deleteRetentionMs !== undefined && nowMs - writtenAtMs > deleteRetentionMs / 2)
        throw new WeirError('state-too-old', `${what} may have forgotten deletions from offset ${offset} on`)
      return { ...input, offset, end }
    }),
  )
}
