import { createLogUpdate } from 'log-update'

import { type DemoSnapshot, renderProgress, renderView } from './demo-view.ts'

/** Where the demo shows itself: a view that is drawn anew in place, or a line now and then. */
export class DemoScreen {
  readonly intervalMs: number
  readonly #logUpdate: ReturnType<typeof createLogUpdate> | null

  constructor(plain: boolean) {
    this.intervalMs = plain ? 1_000 : 250
    this.#logUpdate = plain ? null : createLogUpdate(process.stdout)
  }

  show(snapshot: DemoSnapshot): void {
    if (this.#logUpdate === null) this.print(renderProgress(snapshot))
    else this.#logUpdate(renderView(snapshot, process.stdout.columns || 80))
  }

  /** Leaves what is shown where it is: what is printed next stands below it. */
  done(): void {
    this.#logUpdate?.done()
  }

  print(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}
