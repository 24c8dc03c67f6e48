import { producerConfig } from '../config/clients.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Producer } from '../native.ts'
import { OutputBatch } from '../produce/output-batch.ts'
import { bytesSerde } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'
import { type Bounds, DeadLetterReader, type ReadRequest } from './dlq-reader.ts'
import type { DeadLetterRecord } from './dlq-record.ts'
import type { Selection } from './dlq-selection.ts'

const bytes = bytesSerde as Serde<unknown>
const OUTPUT_RECORDS_MAX = 1024
const OUTPUT_BYTES_MAX = 4 << 20

/** Records of one partition of the dead-letter topic's source topics that go back there. */
export interface ReplayTarget {
  readonly topic: string
  readonly partition: number
  readonly records: number
}

export interface ReplayPlan {
  readonly deadLetterTopic: string
  readonly targets: readonly ReplayTarget[]
  /** Records that cannot go back, by why. */
  readonly leftAlone: readonly { readonly reason: string; readonly records: number }[]
}

/**
 * Where the selected records go: to the topic and the partition that they came from.
 *
 * @param partitionsOf of every topic of the cluster
 */
export async function planReplay(
  letters: AsyncIterable<DeadLetterRecord>,
  deadLetterTopic: string,
  partitionsOf: ReadonlyMap<string, number>,
): Promise<ReplayPlan> {
  const targets = new Map<string, { topic: string; partition: number; records: number }>()
  const leftAlone = new Map<string, number>()
  for await (const letter of letters) {
    const goal = goalOf(letter, partitionsOf)
    if (typeof goal === 'string') {
      leftAlone.set(goal, (leftAlone.get(goal) ?? 0) + 1)
      continue
    }
    const key = `${goal.topic}:${goal.partition}`
    const target = targets.get(key) ?? { ...goal, records: 0 }
    target.records++
    targets.set(key, target)
  }
  const byPlace = (a: ReplayTarget, b: ReplayTarget): number =>
    a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition
  return {
    deadLetterTopic,
    targets: [...targets.values()].sort(byPlace),
    leftAlone: [...leftAlone].map(([reason, records]) => ({ reason, records })),
  }
}

/** @returns why the record cannot go back, where it cannot */
function goalOf(
  { sourceTopic: topic, sourcePartition: partition, key, value }: DeadLetterRecord,
  partitionsOf: ReadonlyMap<string, number>,
): { readonly topic: string; readonly partition: number } | string {
  if (topic === null || partition === null) return 'its headers do not tell where it came from'
  if (key === null && value === null)
    return 'it has neither a key nor a value: its input record was not at hand'
  const partitions = partitionsOf.get(topic)
  if (partitions === undefined) return `topic ${topic} does not exist`
  if (partition >= partitions) return `topic ${topic} has no partition ${partition}`
  return { topic, partition }
}

/**
 * Writes the selected records to where they came from, as they came: key, value, headers and timestamp. They stay in the dead-letter topic.
 *
 * @param bounds those of the plan: what was shown is what is done
 * @param onWritten runs for each record that was handed to the producer
 * @returns how many
 * @throws WeirError production-failed, with how many were delivered by then: a second replay of the same writes those twice
 */
export async function executeReplay(
  request: ReadRequest,
  selection: Selection,
  bounds: Bounds,
  partitionsOf: ReadonlyMap<string, number>,
  onWritten: () => void,
): Promise<number> {
  const { config, timeoutMs } = request
  const settings = producerConfig({ ...config, processingGuarantee: 'at_least_once' }, 0)
  const producer = new Producer({ ...settings, 'client.id': `${config.clientId}-dlq` })
  await using resources = new AsyncDisposableStack()
  resources.defer(() => producer.close())
  const reader = resources.use(new DeadLetterReader(request))
  const output = new OutputBatch(producer, OUTPUT_RECORDS_MAX, OUTPUT_BYTES_MAX)
  try {
    for await (const letter of reader.read(selection, bounds)) {
      const goal = goalOf(letter, partitionsOf)
      if (typeof goal === 'string') continue
      const { key, value, timestamp, headers } = letter
      const topic = producer.topic(goal.topic, partitionsOf.get(goal.topic)!)
      output.add(topic, goal.partition, bytes, key, bytes, value, timestamp, headers)
      if (output.isFull) await output.sendAll()
      onWritten()
    }
    await output.sendAll()
    await producer.flush(timeoutMs)
  } catch (error) {
    const { deliveredRecords } = producer.stats()
    throw new WeirError(
      'production-failed',
      `${deliveredRecords} records were written back, then: ${messageOf(error)}`,
      { cause: error },
    )
  }
  return output.records
}
