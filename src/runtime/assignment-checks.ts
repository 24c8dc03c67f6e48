import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { TopicPartition } from '../native.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import { partitionKey, type TaskInputs } from './task-inputs.ts'

/** After this long a task whose other inputs are elsewhere is not in between two steps any more. */
const PARTIAL_WARN_MS = 30_000

export interface AssignmentChecksOptions {
  readonly config: Pick<Config, 'tasksMax'>
  /** Every task of the application. */
  readonly tasks: readonly TaskInputs[]
  readonly membership: Pick<Membership, 'isCooperative'>
  readonly logger: Logger
  readonly onFailed: (error: WeirError) => void
}

/** Whether what the group assigns can be run: what cannot stops the application, what may not be meant is warned of. Main thread. */
export class AssignmentChecks {
  readonly #options: AssignmentChecksOptions
  #warnedOfTasksMax = false
  #partialTimer: NodeJS.Timeout | undefined

  constructor(options: AssignmentChecksOptions) {
    this.#options = options
  }

  /** No partition has come that did not exist when the tasks were made. */
  partitions(assigned: readonly TopicPartition[]): void {
    const known = new Set(this.#options.tasks.flatMap(({ inputs }) => inputs.map(partitionKey)))
    const stranger = assigned.find((partition) => !known.has(partitionKey(partition)))
    if (stranger === undefined) return
    this.#options.onFailed(
      new WeirError(
        'partition-count-changed',
        `${stranger.topic} has a partition ${stranger.partition} that it did not have when the application started; ` +
          'start it again when every process of it can, after its internal topics were given as many',
      ),
    )
  }

  /**
   * Tasks of which another process has the other inputs. Under a protocol that assigns step by step they may come yet; otherwise topics
   * with different partition counts were torn apart, and nobody runs the task.
   *
   * @param isAssigned whether this process has a partition
   */
  partial(partial: readonly TaskInputs[], isAssigned: (key: string) => boolean): void {
    this.stop()
    const [first] = partial
    if (first === undefined) return
    const missing = first.inputs.map(partitionKey).filter((key) => !isAssigned(key))
    const what =
      `task ${first.id} cannot run: another process has ${missing.join(', ')}. Topics that one sub-topology reads need the same number of ` +
      'partitions when there are several processes'
    if (!this.#options.membership.isCooperative) {
      this.#options.onFailed(new WeirError('copartition-mismatch', what))
      return
    }
    this.#partialTimer = setTimeout(
      () => this.#options.logger.warn({ tasks: partial.map(({ id }) => id) }, what),
      PARTIAL_WARN_MS,
    )
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

  /** Warns no more of what was partial. */
  stop(): void {
    clearTimeout(this.#partialTimer)
  }
}
