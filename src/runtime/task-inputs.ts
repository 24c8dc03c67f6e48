import type { TopicPartition } from '../native.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { realTopic } from '../topology/topic-names.ts'
import type { TaskId } from './protocol.ts'
import type { TopicPlan } from './topic-plan.ts'

/** A task and the partitions it reads. */
export interface TaskInputs {
  readonly id: TaskId
  readonly subtopology: number
  readonly partition: number
  /** By real names. A topic with fewer partitions than the sub-topology has tasks is read by the first tasks only. */
  readonly inputs: readonly TopicPartition[]
}

/** A partition as the key of a map. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

/** Every task of the application, in all its processes. */
export function allTasks(topology: TopologyDefinition, applicationId: string, plan: TopicPlan): TaskInputs[] {
  return topology.subtopologies.flatMap(({ id: subtopology, sourceTopics }) => {
    const topics = sourceTopics.map((name) => realTopic(topology, applicationId, name))
    return Array.from({ length: plan.tasks.get(subtopology) ?? 0 }, (_, partition) => ({
      id: `${subtopology}_${partition}`,
      subtopology,
      partition,
      inputs: topics
        .filter((topic) => partition < plan.sources.get(topic)!)
        .map((topic) => ({ topic, partition })),
    }))
  })
}

/** Which tasks can run with these partitions: `whole` has all its inputs, `partial` some of them. */
export function tasksWith(
  tasks: readonly TaskInputs[],
  hasPartition: (key: string) => boolean,
): { readonly whole: TaskInputs[]; readonly partial: TaskInputs[] } {
  const whole: TaskInputs[] = []
  const partial: TaskInputs[] = []
  for (const task of tasks) {
    const present = task.inputs.filter((input) => hasPartition(partitionKey(input))).length
    if (present === task.inputs.length) whole.push(task)
    else if (present > 0) partial.push(task)
  }
  return { whole, partial }
}
