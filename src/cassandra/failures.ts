import { messageOf } from '../errors/weir-error.ts'

/**
 * What is done about a request that failed:
 * - `passes`: the same again, later; it may have been done already
 * - `refused`: one of its rows is to blame, or the table is not what it was
 * - `unprepared`: the table is not what it was, or a node did not know the statement
 * - `denied`: an operator has to put right credentials, or permissions
 */
export interface CassandraFailure {
  readonly kind: 'passes' | 'refused' | 'unprepared' | 'denied'
  /** For metrics. */
  readonly reason: string
  /** On one line. */
  readonly message: string
}

interface DriverError {
  readonly name?: unknown
  readonly code?: unknown
  readonly isSocketError?: unknown
  readonly innerErrors?: Readonly<Record<string, unknown>> | null
}

/** The native protocol's error codes, as far as they are told apart. Every other one may pass. */
const responses: ReadonlyMap<number, Omit<CassandraFailure, 'message'>> = new Map([
  [0x000a, { kind: 'refused', reason: 'refused' }],
  [0x0100, { kind: 'denied', reason: 'denied' }],
  [0x1000, { kind: 'passes', reason: 'unavailable' }],
  [0x1001, { kind: 'passes', reason: 'overloaded' }],
  [0x1002, { kind: 'passes', reason: 'overloaded' }],
  [0x1100, { kind: 'passes', reason: 'timeout' }],
  [0x1200, { kind: 'passes', reason: 'timeout' }],
  [0x2000, { kind: 'refused', reason: 'refused' }],
  [0x2100, { kind: 'denied', reason: 'denied' }],
  [0x2200, { kind: 'refused', reason: 'refused' }],
  [0x2300, { kind: 'refused', reason: 'refused' }],
  [0x2500, { kind: 'unprepared', reason: 'refused' }],
])

/** @param error what the driver threw */
export function failureOf(error: unknown): CassandraFailure {
  const { name, code, isSocketError, innerErrors } = (error ?? {}) as DriverError
  const message = firstLine(error)
  if (name === 'NoHostAvailableError') return noHost(Object.entries(innerErrors ?? {}))
  if (name === 'AuthenticationError') return { kind: 'denied', reason: 'denied', message }
  if (name === 'OperationTimedOutError') return { kind: 'passes', reason: 'timeout', message }
  if (name === 'BusyConnectionError') return { kind: 'passes', reason: 'overloaded', message }
  if (isSocketError === true) return { kind: 'passes', reason: 'unreachable', message }
  if (name === 'ResponseError') {
    const known = responses.get(Number(code)) ?? { kind: 'passes', reason: 'server' }
    return { ...known, message }
  }
  // What the driver cannot write.
  if (error instanceof TypeError || error instanceof RangeError || name === 'ArgumentError')
    return { kind: 'refused', reason: 'refused', message }
  return { kind: 'passes', reason: 'unreachable', message }
}

/** No node has answered, or has taken it: each for its own reason. */
function noHost(tried: readonly (readonly [string, unknown])[]): CassandraFailure {
  const failures = tried.map(([host, inner]) => ({ host, ...innerFailure(inner) }))
  const message =
    failures.length === 0
      ? 'no node answers'
      : `no node answers: ${failures.map((one) => `${one.host}: ${one.message}`).join('; ')}`
  const of = (kind: CassandraFailure['kind']) => failures.filter((one) => one.kind === kind)
  if (of('unprepared').length > 0) return { kind: 'unprepared', reason: 'refused', message }
  if (failures.length > 0 && of('denied').length === failures.length)
    return { kind: 'denied', reason: 'denied', message }
  return { kind: 'passes', reason: 'unreachable', message }
}

function innerFailure(inner: unknown): CassandraFailure {
  if (inner === null || inner === undefined || typeof inner === 'string')
    return { kind: 'passes', reason: 'unreachable', message: inner?.toString() ?? 'it does not answer' }
  return failureOf(inner)
}

/** The driver puts stacks into messages. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return messageOf(text.split('\n', 1)[0] ?? '')
}
