import type { TaskClock } from '../process/task-clock.ts'
import { LogLimiter } from './logger.ts'
import type { TaskId } from './protocol.ts'

/** What a task warns its operator of, with the place where its clock stands: once for each processor, where it would be for each record. */
export class TaskWarnings {
  readonly #task: TaskId
  readonly #clock: TaskClock
  readonly #warn: (message: string, fields: Record<string, unknown>) => void
  /** Processors that have dropped a record. */
  readonly #droppedBy = new Set<string>()
  readonly #limiter = new LogLimiter()

  /** @param warn one line for the log */
  constructor(
    task: TaskId,
    clock: TaskClock,
    warn: (message: string, fields: Record<string, unknown>) => void,
  ) {
    this.#task = task
    this.#clock = clock
    this.#warn = warn
  }

  /** The first record that a processor drops. */
  recordDropped(processor: string, reason: string): void {
    if (this.#droppedBy.has(processor)) return
    this.#droppedBy.add(processor)
    const { topic, partition, offset } = this.#clock
    this.#warn('records are dropped; this is the first, and weir_process_records_dropped_total counts them', {
      task: this.#task,
      processor,
      reason,
      topic,
      partition,
      offset,
    })
  }

  /** A record has failed with what may pass, for the first time. */
  recordRetried(reason: string): void {
    const { topic, partition, offset, node } = this.#clock
    this.#limiter.once('retry', (heldBack) =>
      this.#warn('a record is tried again after a pause; weir_process_retries_total counts the attempts', {
        task: this.#task,
        processor: node,
        topic,
        partition,
        offset,
        reason,
        heldBack,
      }),
    )
  }

  iteratorsLeftOpen(iterators: number): void {
    this.#warn('an iterator was left open; close it, or declare it with `using`', {
      task: this.#task,
      processor: this.#clock.node,
      iterators,
    })
  }
}
