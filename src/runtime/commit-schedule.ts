import { CommitPace } from './commit-pace.ts'

/** What a schedule asks of a task. */
export interface ScheduledTask {
  readonly needsCommit: boolean
  /** A processor, or what the task has in flight, wants a commit now, of all tasks. */
  readonly wantsCommit: boolean
  /** It has changed as much as it may, and a commit of it alone would do. */
  readonly isLarge: boolean
  /** What a commit of it lets go on has no room yet: it is put off where tasks are committed one by one. */
  readonly waitsForRoom: boolean
  /** When it was committed last, ms. */
  readonly committedMs: number
  /** What a commit of it would write. */
  readonly uncommittedBytes: number
}

export interface CommitScheduleOptions {
  /** From the end of one commit to the next: commit.interval.ms */
  readonly intervalMs: number
  /** How much later than that a commit may be, where a turn of all tasks takes long. */
  readonly latenessMs: number
  /** Of one task's changes. */
  readonly taskBytesMax: number
  /** The memory for what all the thread's tasks have not committed. */
  readonly bytesMax: number
  /** One transaction holds the outputs of all: they can only be committed together. */
  readonly together: boolean
  readonly nowMs: number
}

/**
 * Which of a thread's tasks are committed, and when: each at the interval, sooner when its changes, or those of all, take too much. One whose rows are to go on to Cassandra, and have
 * no room yet among those that wait for it, is put off.
 *
 * Nothing is processed during a commit, so one takes in what it writes in a quarter of a second (CommitPace). Tasks that can be committed one by one gather
 * changes for as long as there is memory, and only as many of them are committed at a time: a key that changes often is then written once in a long time. Where all go
 * together, all together gather no more than that.
 */
export class CommitSchedule {
  readonly #intervalMs: number
  readonly #latenessMs: number
  readonly #taskBytesMax: number
  readonly #bytesMax: number
  readonly #together: boolean
  readonly #pace: CommitPace
  /** When the interval ends. */
  #nextMs: number
  /** When it ended last: what was not committed since then is to be. */
  #endedMs: number
  #isBehind = false
  /** Some of those that are to be committed wait for room. */
  #isPutOff = false
  /** What was due last was so by the interval. */
  #isTimed = false

  constructor(options: CommitScheduleOptions) {
    const { intervalMs, latenessMs, taskBytesMax, bytesMax, together, nowMs } = options
    this.#intervalMs = intervalMs
    this.#latenessMs = latenessMs
    this.#together = together
    this.#pace = new CommitPace(bytesMax)
    this.#taskBytesMax = taskBytesMax
    // The other half is for what is being committed, which is held once more as what is written and as what is sent.
    this.#bytesMax = bytesMax / 2
    this.#endedMs = nowMs
    this.#nextMs = nowMs + intervalMs
  }

  /** When the interval ends, ms. */
  get nextMs(): number {
    return this.#nextMs
  }

  /** A commit has waited for as long as it may. */
  isLate(nowMs: number): boolean {
    return nowMs >= this.#nextMs + this.#latenessMs
  }

  /** There are more to be committed, after something was processed. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** What is to be committed now. @param tasks those that can be */
  due<T extends ScheduledTask>(tasks: readonly T[], nowMs: number): readonly T[] {
    const isEnd = nowMs >= this.#nextMs
    if (isEnd) this.#end(nowMs)
    let bytes = 0
    let largest = 0
    let isAsked = false
    let isOneLarge = false
    for (const { uncommittedBytes, wantsCommit, isLarge } of tasks) {
      bytes += uncommittedBytes
      largest = Math.max(largest, uncommittedBytes)
      isAsked ||= wantsCommit
      isOneLarge ||= isLarge
    }
    const isFull = largest > this.#oneBytesMax || bytes > this.#allBytesMax
    if (isAsked || (this.#together && (isEnd || isFull || isOneLarge))) {
      this.#end(nowMs)
      this.#isBehind = false
      this.#isPutOff = false
      return needing(tasks)
    }
    if (isEnd || this.#isBehind || this.#isPutOff) {
      const overdue = this.#overdue(tasks)
      this.#isTimed = true
      if (overdue.length > 0) return overdue
    }
    this.#isTimed = false
    if (isOneLarge) {
      const large = needing(tasks).find((task) => task.isLarge && !task.waitsForRoom)
      if (large !== undefined) return [large]
    }
    return isFull ? this.#largest(tasks, bytes) : []
  }

  /**
   * @param bytes what was written
   * @param durationMs how long nothing was processed for it
   */
  committed(bytes: number, durationMs: number, nowMs: number): void {
    this.#pace.committed(bytes, durationMs)
    if (this.#isTimed) this.#nextMs = nowMs + this.#intervalMs
  }

  #end(nowMs: number): void {
    this.#endedMs = nowMs
    this.#nextMs = nowMs + this.#intervalMs
    this.#isTimed = true
  }

  /** Of one task: a commit of it should take no longer than any. */
  get #oneBytesMax(): number {
    return Math.min(this.#taskBytesMax, this.#pace.bytes)
  }

  /** Of all tasks. */
  get #allBytesMax(): number {
    return this.#together ? this.#pace.bytes : this.#bytesMax
  }

  /** Those that were not committed since the interval began, the oldest first: as many as a commit takes in. */
  #overdue<T extends ScheduledTask>(tasks: readonly T[]): readonly T[] {
    const overdue = needing(tasks.filter(({ committedMs }) => committedMs < this.#endedMs))
    const ready = overdue.filter(({ waitsForRoom }) => !waitsForRoom)
    ready.sort((one, other) => one.committedMs - other.committedMs)
    const taken = ready.slice(0, this.#paced(ready))
    this.#isBehind = taken.length < ready.length
    this.#isPutOff = ready.length < overdue.length
    return taken
  }

  /** The largest, as many as a commit takes in: tasks grow alike, and reach their limits together. More where there is no memory for them to wait. */
  #largest<T extends ScheduledTask>(tasks: readonly T[], bytes: number): readonly T[] {
    const bySize = needing(tasks).sort((one, other) => other.uncommittedBytes - one.uncommittedBytes)
    let left = bytes
    let count = 0
    while (count < bySize.length && left > this.#bytesMax) left -= bySize[count++]!.uncommittedBytes
    return bySize.slice(0, Math.max(count, this.#paced(bySize)))
  }

  /** How many of the first tasks one commit takes in; one at least. */
  #paced(tasks: readonly ScheduledTask[]): number {
    let bytes = 0
    let count = 0
    for (const { uncommittedBytes } of tasks) {
      bytes += uncommittedBytes
      if (count > 0 && bytes > this.#pace.bytes) break
      count++
    }
    return count
  }
}

function needing<T extends ScheduledTask>(tasks: readonly T[]): T[] {
  return tasks.filter(({ needsCommit }) => needsCommit)
}
