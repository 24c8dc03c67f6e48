import { formatCount } from './format.ts'
import { LiveText } from './live-text.ts'

const WIDTH = 24
/** Between two times that it is drawn, ms. */
const INTERVAL_MS = 100

/** How far long work is, in one line that is drawn anew; nothing where there is no terminal. */
export class ProgressBar implements Disposable {
  readonly #label: string
  readonly #live: LiveText | null
  readonly #total: number
  #done = 0
  #drawnMs = Number.NEGATIVE_INFINITY

  /** @param total of steps; 0: not known yet @param stream default: standard error, since standard output is the answer's */
  constructor(label: string, total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#label = label
    this.#total = total
    this.#live = stream.isTTY === true ? new LiveText(stream) : null
  }

  /** More steps are done. */
  add(steps = 1): void {
    this.#done += steps
    this.#draw()
  }

  #draw(): void {
    if (this.#live === null) return
    const now = performance.now()
    if (now - this.#drawnMs < INTERVAL_MS) return
    this.#drawnMs = now
    this.#live.draw(progressText(this.#label, this.#done, this.#total))
  }

  /** Takes it off the terminal. */
  [Symbol.dispose](): void {
    this.#live?.clear()
    this.#live?.done()
  }
}

/** `Reading      [##########--------------]  42 %  4,200 of 10,000` */
export function progressText(label: string, done: number, total: number): string {
  if (total === 0) return `${label}  ${formatCount(done)}`
  const ratio = Math.min(1, done / total)
  const filled = Math.floor(ratio * WIDTH)
  const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled)
  const percent = `${Math.floor(ratio * 100)} %`.padStart(5)
  return `${label}  [${bar}] ${percent}  ${formatCount(done)} of ${formatCount(total)}`
}
