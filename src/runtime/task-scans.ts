import type { TaskStateManager } from './task-state-manager.ts'
import type { TaskWarnings } from './task-warnings.ts'

/** The scans of a task's stores: what a processor leaves open is closed when its call ends, and its operator warned. */
export class TaskScans {
  readonly #state: TaskStateManager
  readonly #warnings: TaskWarnings

  constructor(state: TaskStateManager, warnings: TaskWarnings) {
    this.#state = state
    this.#warnings = warnings
  }

  close(): void {
    const open = this.#state.closeScans()
    if (open > 0) this.#warnings.iteratorsLeftOpen(open)
  }
}
