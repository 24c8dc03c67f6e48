import { messageOf } from '../errors/weir-error.ts'
import type { TopicPartition } from '../native.ts'
import type { Logger } from './logger.ts'
import type { RestoreEvent } from './restore-events.ts'
import { type RestoreProgress, RestoreProgresses } from './restore-progress.ts'

/**
 * Is told how stores are restored, on the main thread, for every store with a changelog: once `onRestoreStart`, `onBatchRestored` up to twenty times a
 * second while records come, then `onRestoreEnd`, or `onRestoreSuspended` when the task leaves this process before. A store that has all it
 * needs starts and ends without a batch. All stores of a task end together, before it processes.
 *
 * Restoring does not wait for a listener, and an error that it throws is logged and ends nothing. Kafka Streams' StateRestoreListener.
 */
export interface RestoreListener {
  /** @param endingOffset the changelog's end: what the restore goes up to */
  onRestoreStart?(
    changelog: TopicPartition,
    store: string,
    startingOffset: number,
    endingOffset: number,
  ): void
  /** @param batchEndOffset the next one to restore @param records since the last call */
  onBatchRestored?(changelog: TopicPartition, store: string, batchEndOffset: number, records: number): void
  onRestoreEnd?(changelog: TopicPartition, store: string, totalRecords: number): void
  onRestoreSuspended?(changelog: TopicPartition, store: string, totalRecords: number): void
}

/** Names of RestoreListener's methods. */
export const restoreListenerMethods = [
  'onRestoreStart',
  'onBatchRestored',
  'onRestoreEnd',
  'onRestoreSuspended',
] as const

const LOG_INTERVAL_MS = 10_000

/** Turns the stream threads' restore events into log lines and calls of the application's listener. Main thread. */
export class RestoreObserver {
  readonly #logger: Logger
  readonly #listener: RestoreListener
  readonly #now: () => number
  /** When a line was logged last, of each store that is being restored. */
  readonly #loggedMs = new Map<string, number>()
  readonly #progresses = new RestoreProgresses()

  constructor(logger: Logger, listener: RestoreListener = {}, now: () => number = Date.now) {
    this.#logger = logger
    this.#listener = listener
    this.#now = now
  }

  /** The restores that go on, and those that have ended. */
  get progresses(): readonly RestoreProgress[] {
    return this.#progresses.list()
  }

  observe(event: RestoreEvent): void {
    this.#progresses.observe(event, this.#now())
    this.#log(event)
    void this.#tell(event)
  }

  #log({ kind, task, store, startingOffset, endingOffset, position, totalRecords }: RestoreEvent): void {
    const where = { task, store }
    const name = `${task} ${store}`
    switch (kind) {
      case 'start':
        if (startingOffset < endingOffset)
          this.#logger.info({ ...where, from: startingOffset, to: endingOffset }, 'restoring a store')
        this.#loggedMs.set(name, this.#now())
        break
      case 'batch':
        if (this.#now() - this.#loggedMs.get(name)! < LOG_INTERVAL_MS) break
        this.#loggedMs.set(name, this.#now())
        this.#logger.info({ ...where, position, to: endingOffset, records: totalRecords }, 'still restoring')
        break
      case 'end':
        this.#loggedMs.delete(name)
        if (totalRecords > 0) this.#logger.info({ ...where, records: totalRecords }, 'a store is restored')
        break
      case 'suspended':
        this.#loggedMs.delete(name)
        this.#logger.info(
          { ...where, position, to: endingOffset, records: totalRecords },
          'a restore is given up',
        )
        break
    }
  }

  async #tell(event: RestoreEvent): Promise<void> {
    const { kind, store, topic, partition, records, totalRecords } = event
    const listener = this.#listener
    const changelog = { topic, partition }
    try {
      switch (kind) {
        case 'start':
          await listener.onRestoreStart?.(changelog, store, event.startingOffset, event.endingOffset)
          break
        case 'batch':
          await listener.onBatchRestored?.(changelog, store, event.position, records)
          break
        case 'end':
          await listener.onRestoreEnd?.(changelog, store, totalRecords)
          break
        case 'suspended':
          await listener.onRestoreSuspended?.(changelog, store, totalRecords)
          break
      }
    } catch (error) {
      this.#logger.error({ store, reason: messageOf(error) }, 'the restore listener threw')
    }
  }
}
