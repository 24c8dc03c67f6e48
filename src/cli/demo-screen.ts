import { type DemoSnapshot, renderProgress, renderView } from './demo-view.ts'
import { LiveText } from './live-text.ts'

/** Where the demo shows itself: a view that is drawn anew in place, or a line now and then. */
export class DemoScreen {
  readonly intervalMs: number
  readonly #live: LiveText | null

  constructor(plain: boolean) {
    this.intervalMs = plain ? 1_000 : 250
    this.#live = plain ? null : new LiveText(process.stdout)
  }

  show(snapshot: DemoSnapshot): void {
    if (this.#live === null) this.print(renderProgress(snapshot))
    else this.#live.draw(renderView(snapshot, this.#live.columns))
  }

  /** Leaves what is shown where it is: what is printed next stands below it. */
  done(): void {
    this.#live?.done()
  }

  print(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}
