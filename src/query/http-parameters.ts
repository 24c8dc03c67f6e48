import type { Position } from './position.ts'
import { QueryError } from './query-error.ts'
import type { QueryConsistency, QueryOptions } from './state-query.ts'

/** What every query over HTTP takes. */
const OPTIONS = ['consistency', 'partition', 'position', 'timeout-ms']

/** The parameters behind a URL's question mark. What is not allowed, or cannot be read, is one line. */
export class HttpParameters {
  readonly #given: Readonly<Record<string, string | string[] | undefined>>

  /** @param allowed besides those of `options`. @throws QueryError query-invalid */
  constructor(given: unknown, allowed: readonly string[]) {
    this.#given = (given ?? {}) as Record<string, string | string[] | undefined>
    const names = [...allowed, ...OPTIONS]
    for (const [name, value] of Object.entries(this.#given)) {
      if (!names.includes(name))
        throw invalid(name, `there is no such parameter; allowed: ${names.join(', ')}`)
      if (Array.isArray(value)) throw invalid(name, 'it is given more than once')
    }
  }

  text(name: string): string | undefined {
    return this.#given[name] as string | undefined
  }

  /** A whole number from 0. */
  integer(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (!/^\d{1,15}$/.test(text)) throw invalid(name, 'expected a whole number from 0')
    return Number(text)
  }

  flag(name: string): boolean {
    const text = this.text(name)
    if (text === undefined || text === 'false') return false
    if (text === '' || text === 'true') return true
    throw invalid(name, 'expected true or false')
  }

  options(): QueryOptions {
    const consistency = this.text('consistency')
    const partition = this.text('partition') === 'all' ? 'all' : this.integer('partition')
    const position = this.text('position')
    const timeoutMs = this.integer('timeout-ms')
    return {
      // Checked where it is used.
      ...(consistency !== undefined && { consistency: consistency as QueryConsistency }),
      ...(partition !== undefined && { partition }),
      ...(position !== undefined && { positionBound: parsedPosition(position) }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    }
  }
}

function parsedPosition(text: string): Position {
  try {
    return JSON.parse(text) as Position
  } catch {
    throw invalid('position', 'expected JSON: { topic: { partition: offset } }')
  }
}

function invalid(name: string, why: string): QueryError {
  return new QueryError('query-invalid', `${name}: ${why}`)
}
