import type { TaskId } from './protocol.ts'

/** A task as far as its place matters. */
export interface PlaceableTask {
  readonly id: TaskId
  readonly subtopology: number
}

/**
 * Spreads tasks over a process's stream threads. For the whole and for each sub-topology the threads' counts differ by one at the most;
 * within that a task stays where its state is open. What was assigned before and is balanced does not move.
 *
 * Every thread gets `floor(n / threads)` tasks of a sub-topology; which threads get one more is chosen by who has one more already,
 * and then evened out over the sub-topologies.
 *
 * @param threads how many there are, at least 1
 * @param previous the thread on which a task is open or suspended
 * @returns the thread of each task
 */
export function assignTasks(
  tasks: readonly PlaceableTask[],
  threads: number,
  previous: ReadonlyMap<TaskId, number>,
): Map<TaskId, number> {
  const groups = groupBySubtopology(tasks)
  const quotas = quotasOf(groups, threads, previous)
  const placed = new Map<TaskId, number>()
  groups.forEach((group, index) => {
    const free = quotas[index]!
    const rest: TaskId[] = []
    for (const id of group) {
      const thread = previous.get(id)
      if (thread !== undefined && thread < threads && free[thread]! > 0) {
        free[thread]!--
        placed.set(id, thread)
      } else {
        rest.push(id)
      }
    }
    for (const id of rest) {
      const thread = free.indexOf(Math.max(...free))
      free[thread]!--
      placed.set(id, thread)
    }
  })
  return placed
}

function groupBySubtopology(tasks: readonly PlaceableTask[]): TaskId[][] {
  const groups = new Map<number, TaskId[]>()
  for (const { id, subtopology } of tasks) {
    const group = groups.get(subtopology)
    if (group === undefined) groups.set(subtopology, [id])
    else group.push(id)
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group)
}

/** @returns for each group how many tasks each thread gets */
function quotasOf(
  groups: readonly (readonly TaskId[])[],
  threads: number,
  previous: ReadonlyMap<TaskId, number>,
): number[][] {
  const extras = new Array<number>(threads).fill(0)
  const held: number[][] = []
  const quotas = groups.map((group) => {
    const counts = new Array<number>(threads).fill(0)
    for (const id of group) {
      const thread = previous.get(id)
      if (thread !== undefined && thread < threads) counts[thread]!++
    }
    held.push(counts)
    const base = Math.floor(group.length / threads)
    const quota = new Array<number>(threads).fill(base)
    const byWant = [...quota.keys()].sort(
      (a, b) =>
        Math.min(counts[b]!, base + 1) - Math.min(counts[a]!, base + 1) || extras[a]! - extras[b]! || a - b,
    )
    for (const thread of byWant.slice(0, group.length % threads)) {
      quota[thread]!++
      extras[thread]!++
    }
    return quota
  })

  // A thread that has two more than another has one more in some group in which the other does not: that one moves. Each move brings
  // the counts closer, so this ends.
  for (;;) {
    const most = extras.indexOf(Math.max(...extras))
    const least = extras.indexOf(Math.min(...extras))
    if (extras[most]! - extras[least]! < 2) return quotas
    let best = -1
    let bestCost = Number.POSITIVE_INFINITY
    quotas.forEach((quota, group) => {
      if (quota[most]! <= quota[least]!) return
      const loses = held[group]![most]! >= quota[most]! ? 1 : 0
      const keeps = held[group]![least]! > quota[least]! ? 1 : 0
      if (loses - keeps < bestCost) {
        bestCost = loses - keeps
        best = group
      }
    })
    quotas[best]![most]!--
    quotas[best]![least]!++
    extras[most]!--
    extras[least]!++
  }
}
