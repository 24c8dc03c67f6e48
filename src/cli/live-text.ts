import { createLogUpdate } from 'log-update'

const COLUMNS_DEFAULT = 80
const ROWS_DEFAULT = 24

/** Text at the end of a terminal that is drawn anew in its place. */
export class LiveText {
  readonly #stream: NodeJS.WriteStream
  readonly #logUpdate: ReturnType<typeof createLogUpdate>

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#logUpdate = createLogUpdate(stream)
  }

  get columns(): number {
    return this.#stream.columns || COLUMNS_DEFAULT
  }

  /** Lines that are too long are cut, and those that are too many. */
  draw(text: string): void {
    const rows = this.#stream.rows || ROWS_DEFAULT
    this.#logUpdate(fitted(text, this.columns, rows))
  }

  /** Leaves what is drawn where it is: what is printed next stands below it. */
  done(): void {
    this.#logUpdate.done()
  }

  clear(): void {
    this.#logUpdate.clear()
  }
}

/** As much of a text as a screen has room for. */
export function fitted(text: string, columns: number, rows: number): string {
  const width = Math.max(20, columns - 1)
  const lines = text.split('\n').map((line) => line.slice(0, width))
  const height = Math.max(2, rows - 1)
  if (lines.length <= height) return lines.join('\n')
  const more = lines.length - height + 1
  return [...lines.slice(0, height - 1), `... and ${more} more lines: the window is too low`].join('\n')
}
