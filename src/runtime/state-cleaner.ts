import { renameSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { messageOf } from '../errors/weir-error.ts'
import type { Logger } from './logger.ts'
import type { TaskId } from './protocol.ts'

const INTERVAL_MS_MIN = 1_000
const INTERVAL_MS_MAX = 60_000
/** A folder on its way out: what a crash leaves of one is removed by the next look. */
const REMOVED = '.removed'

export interface StateCleanerOptions {
  /** The application's folder. */
  readonly folder: string
  /** How long a task's state stays that is not used here, ms. */
  readonly delayMs: number
  /** Tasks that are open here, or being opened or closed. */
  readonly openTasks: () => ReadonlySet<TaskId>
  /** Whether this process knows which tasks it has. */
  readonly isRebalancing: () => boolean
  readonly logger: Logger
  /** Ms of a clock that only goes forward. */
  readonly now?: () => number
}

/**
 * Removes the state of tasks that went to other processes, when they have not come back for a while. Until then it is taken up again when they do.
 * What was there at the start has as long to be asked for. Kafka Streams' StateDirectory.cleanRemovedTasks. Main thread: it is the one that
 * hands tasks out, so none can be opened between a look at what is open and the folder's renaming.
 */
export class StateCleaner {
  readonly #options: StateCleanerOptions
  readonly #now: () => number
  /** Since when each task's folder was seen without use. */
  readonly #unusedSinceMs = new Map<TaskId, number>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null

  constructor(options: StateCleanerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  start(): void {
    const intervalMs = Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, this.#options.delayMs))
    this.#timer = setInterval(() => void this.look(), intervalMs)
    this.#timer.unref()
    void this.look()
  }

  /** Ends it, with the look that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** Removes what is due. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        // Nothing depends on it but disk space; it is tried again.
        this.#options.logger.warn({ reason: messageOf(error) }, 'state that is not used cannot be removed')
      })
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { folder, delayMs, openTasks, isRebalancing, logger } = this.#options
    const names = await readdir(folder)
    // Brokers that are away take all tasks from a process: no reason to restore everything when they are back.
    if (isRebalancing()) {
      this.#unusedSinceMs.clear()
      return
    }
    const open = openTasks()
    const now = this.#now()
    const removed = names.filter((name) => name.endsWith(REMOVED))
    for (const task of names.filter((name) => /^\d+_\d+$/.test(name))) {
      const sinceMs = open.has(task) ? null : (this.#unusedSinceMs.get(task) ?? now)
      if (sinceMs === null) this.#unusedSinceMs.delete(task)
      else if (now - sinceMs < delayMs || removed.includes(`${task}${REMOVED}`))
        this.#unusedSinceMs.set(task, sinceMs)
      else {
        renameSync(path.join(folder, task), path.join(folder, `${task}${REMOVED}`))
        this.#unusedSinceMs.delete(task)
        removed.push(`${task}${REMOVED}`)
        logger.info({ task, unusedMs: Math.round(now - sinceMs) }, 'state of a task that left is removed')
      }
    }
    for (const name of removed) await rm(path.join(folder, name), { recursive: true, force: true })
  }
}
