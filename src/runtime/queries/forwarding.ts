/** Queries on their way to another process of the application, and answers on their way back: JSON, with bytes as base64. */
import { messageOf } from '../../errors/weir-error.ts'
import type { InputPosition, Position } from '../../query/position.ts'
import { isQueryErrorReason, QueryError } from '../../query/query-error.ts'
import { type QueryConsistency, ROWS_MAX } from '../../query/state-query.ts'
import type { WireAnswer, WireQuery, WireRow } from '../../query/wire-query.ts'

/** Where processes ask each other. Whoever is asked here answers by itself, or not at all: a query goes one way only. */
export const FORWARDED_PATH = '/forwarded-query'

/** What a process is asked by another. */
export interface ForwardedQuery {
  /** Somebody else may serve at an address by now. */
  readonly applicationId: string
  readonly store: string
  readonly partition: number
  readonly query: WireQuery
  readonly consistency: QueryConsistency
  readonly positionBound: Position | null
  readonly timeoutMs: number
}

/** Bytes as text, wherever they are. */
function replacer(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]
  return raw instanceof Uint8Array ? { base64: Buffer.from(raw).toString('base64') } : value
}

function reviver(_: string, value: unknown): unknown {
  const text = (value as { base64?: unknown } | null)?.base64
  return typeof text === 'string' ? Buffer.from(text, 'base64') : value
}

export function encodeForwarded(message: ForwardedQuery | WireAnswer): string {
  return JSON.stringify(message, replacer)
}

/** @throws QueryError query-invalid: it is not from a process of this version */
export function decodeForwardedQuery(text: string): ForwardedQuery {
  try {
    const message = JSON.parse(text, reviver) as ForwardedQuery
    const { applicationId, store, partition, query, timeoutMs } = message
    const isOne =
      typeof applicationId === 'string' &&
      typeof store === 'string' &&
      Number.isInteger(partition) &&
      typeof query?.type === 'string' &&
      Number.isFinite(timeoutMs) &&
      (!('limit' in query) || (query.limit >= 1 && query.limit <= ROWS_MAX))
    if (isOne) return message
  } catch {
    // Said below.
  }
  throw new QueryError('query-invalid', 'this is no query of another process of the application')
}

function decodeAnswer(text: string): WireAnswer {
  const { rows, hasMore, nextMs, count, inputs } = JSON.parse(text, reviver) as WireAnswer
  if (!Array.isArray(rows) || !Array.isArray(inputs) || typeof hasMore !== 'boolean')
    throw new Error('this is no answer')
  return {
    rows: rows as readonly WireRow[],
    hasMore,
    inputs: inputs as readonly InputPosition[],
    ...(nextMs !== undefined && { nextMs }),
    ...(count !== undefined && { count }),
  }
}

/**
 * Asks another process.
 *
 * @param token WEIR_HTTP_TOKEN; null: none
 * @throws QueryError what the other process says; not-active when nothing that is one of the application answers there
 */
export async function askPeer(
  server: string,
  query: ForwardedQuery,
  token: string | null,
): Promise<WireAnswer> {
  let text: string
  let response: Response
  try {
    response = await fetch(`http://${server}${FORWARDED_PATH}`, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(query.timeoutMs),
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: encodeForwarded(query),
    })
    text = await response.text()
  } catch (error) {
    if ((error as Error).name === 'TimeoutError')
      throw new QueryError('timeout', `${server} has not answered within ${query.timeoutMs} ms`)
    const cause = (error as Error).cause ?? error
    throw new QueryError('not-active', `${server} cannot be reached: ${messageOf(cause)}`, { cause: error })
  }
  if (response.status === 200) {
    try {
      return decodeAnswer(text)
    } catch (error) {
      throw new QueryError('not-active', `${server} gives no answer: ${messageOf(error)}`, { cause: error })
    }
  }
  throw refusal(server, response.status, text)
}

function refusal(server: string, status: number, text: string): QueryError {
  let code: unknown
  let message: unknown
  try {
    ;({ code, message } = JSON.parse(text) as { code: unknown; message: unknown })
  } catch {
    // Somebody else's words.
  }
  if (isQueryErrorReason(code)) return new QueryError(code, `${server}: ${String(message)}`)
  if (status === 429) return new QueryError('overloaded', `${server}: ${String(message)}`)
  if (status === 401 || status === 403)
    return new QueryError('not-present', `${server} refuses this process: ${String(message)}`)
  return new QueryError('not-active', `${server} answers with status ${status}: ${String(message ?? '')}`)
}
