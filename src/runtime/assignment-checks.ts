import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { TopicPartition } from '../native.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import { partitionKey, type TaskInputs } from './task-inputs.ts'

/** After this long a task whose other inputs are elsewhere is not in between two steps any more. */
const PARTIAL_WARN_MS = 30_000
/** How often to look for a partition's topic until its task is there: one broker may not know of it for a moment. */
const STRANGER_MS = 1_000

export interface AssignmentChecksOptions {
  readonly config: Pick<Config, 'tasksMax'>
  /** Every task of the application. */
  readonly tasks: readonly TaskInputs[]
  readonly membership: Pick<Membership, 'isCooperative'>
  /** How long processes may differ in which topics match the patterns of sources, ms. Default: there are no patterns. */
  readonly patternsSettleMs?: number
  readonly logger: Logger
  readonly onFailed: (error: WeirError) => void
  /** A partition was assigned that no task has: its topic is worth a look. */
  readonly topicsInDoubt: () => void
}

/** Whether what the group assigns can be run: what cannot stops the application, what may not be meant is warned of. Main thread. */
export class AssignmentChecks {
  readonly #options: AssignmentChecksOptions
  #tasks: readonly TaskInputs[]
  #strangers: readonly TopicPartition[] = []
  #strangerTimer: NodeJS.Timeout | undefined
  #warnedOfTasksMax = false
  #partialTimer: NodeJS.Timeout | undefined

  constructor(options: AssignmentChecksOptions) {
    this.#options = options
    this.#tasks = options.tasks
  }

  setTasks(tasks: readonly TaskInputs[]): void {
    this.#tasks = tasks
    this.#lookForStrangers()
  }

  /** A topic may have got a partition that the group knows of and this process does not yet. */
  partitions(assigned: readonly TopicPartition[]): void {
    this.#strangers = [...this.#strangers, ...assigned]
    this.#lookForStrangers()
  }

  #lookForStrangers(): void {
    clearTimeout(this.#strangerTimer)
    // A topic may be out of the plan already that the group still assigns.
    const topics = new Set(this.#tasks.flatMap(({ inputs }) => inputs.map(({ topic }) => topic)))
    const known = new Set(this.#tasks.flatMap(({ inputs }) => inputs.map(partitionKey)))
    this.#strangers = this.#strangers.filter(
      (partition) => !known.has(partitionKey(partition)) && topics.has(partition.topic),
    )
    if (this.#strangers.length === 0) return
    this.#options.topicsInDoubt()
    this.#strangerTimer = setTimeout(() => this.#lookForStrangers(), STRANGER_MS)
    this.#strangerTimer.unref()
  }

  /**
   * Tasks of which another process has the other inputs. Under a protocol that assigns step by step they may come yet; otherwise topics
   * with different partition counts were torn apart, and nobody runs the task.
   *
   * @param isAssigned whether this process has a partition
   */
  partial(partial: readonly TaskInputs[], isAssigned: (key: string) => boolean): void {
    clearTimeout(this.#partialTimer)
    const [first] = partial
    if (first === undefined) return
    const missing = first.inputs.map(partitionKey).filter((key) => !isAssigned(key))
    const what =
      `task ${first.id} cannot run: another process has ${missing.join(', ')}. Topics that one sub-topology reads need the same number of ` +
      'partitions when there are several processes'
    const { membership, patternsSettleMs, logger, onFailed } = this.#options
    const tell = (): void => {
      if (membership.isCooperative) logger.warn({ tasks: partial.map(({ id }) => id) }, what)
      else onFailed(new WeirError('copartition-mismatch', what))
    }
    if (!membership.isCooperative && patternsSettleMs === undefined) {
      tell()
      return
    }
    this.#partialTimer = setTimeout(tell, PARTIAL_WARN_MS + (patternsSettleMs ?? 0))
    this.#partialTimer.unref()
  }

  /** Not more tasks than memory was planned for. */
  count(tasks: number): void {
    const { tasksMax } = this.#options.config
    if (tasks <= tasksMax || this.#warnedOfTasksMax) return
    this.#warnedOfTasksMax = true
    this.#options.logger.warn(
      { tasks, tasksMax },
      'more tasks than memory is planned for: raise WEIR_MEMORY_BYTES, or run more processes (WEIR_TASKS_MAX)',
    )
  }

  /** Tells nothing more. */
  stop(): void {
    clearTimeout(this.#partialTimer)
    clearTimeout(this.#strangerTimer)
  }
}
