import { isSecretName } from '../config/pass-through.ts'
import { messageOf } from '../errors/weir-error.ts'

/** A line of the log as people read it. */
export interface RecentLine {
  /** From 1, without gaps. */
  readonly id: number
  /** Since 1970, ms. */
  readonly timeMs: number
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** Of the levels that pino has: warnings, errors, and what ends the process. */
const WARN = 40
const ERROR = 50

const TEXT_MAX = 1_000
const FIELDS_MAX = 20

/**
 * The last warnings and errors of the log, as many as there is room for, each with a bounded length. What the level of the log leaves out is
 * not here either.
 */
export class RecentLines {
  readonly #lines: RecentLine[] = []
  readonly #linesMax: number
  readonly #now: () => number
  #lastId = 0
  #warnings = 0
  #errors = 0

  constructor(linesMax = 100, now: () => number = Date.now) {
    this.#linesMax = linesMax
    this.#now = now
  }

  /** Since the start. */
  get counts(): { readonly warnings: number; readonly errors: number } {
    return { warnings: this.#warnings, errors: this.#errors }
  }

  /** @param level pino's @param args as a logger is called: fields and a message, or one of them */
  add(level: number, args: readonly unknown[]): void {
    if (level < WARN) return
    const isError = level >= ERROR
    if (isError) this.#errors++
    else this.#warnings++
    const [first, second] = args
    const given = typeof first === 'object' && first !== null ? first : {}
    const message = typeof first === 'string' ? first : second
    this.#lines.push({
      id: ++this.#lastId,
      timeMs: this.#now(),
      level: isError ? 'error' : 'warn',
      message: shortened(typeof message === 'string' ? message : messageOf(given)),
      fields: fieldsOf(given),
    })
    if (this.#lines.length > this.#linesMax) this.#lines.shift()
  }

  /** @param id of the last one that is known; 0: none */
  after(id: number): RecentLine[] {
    return this.#lines.filter((line) => line.id > id)
  }
}

function fieldsOf(given: object): RecentLine['fields'] {
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  const shown = known.slice(0, FIELDS_MAX).map(([name, value]) => [name, shownValue(name, value)] as const)
  return Object.fromEntries(shown)
}

function shownValue(name: string, value: unknown): string | number | boolean {
  if (isSecretName(name)) return '(hidden)'
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'string') return shortened(value)
  if (value instanceof Error) return shortened(messageOf(value))
  try {
    return shortened(JSON.stringify(value) ?? String(value))
  } catch {
    return `(${typeof value})`
  }
}

function shortened(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`
}
