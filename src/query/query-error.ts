import { oneLine } from '../errors/weir-error.ts'

/** Why a query has no answer, with what helps. KIP-796's FailureReason, and what a network adds. */
const reasons = {
  /** No such store; or no such partition of it. */
  'does-not-exist': { isRetriable: false },
  /** The store is of a type that cannot be asked this. */
  'unknown-query-type': { isRetriable: false },
  /** The key, or another part of the query, is none. */
  'query-invalid': { isRetriable: false },
  /** Another process has the partition, and cannot be reached from here. */
  'not-present': { isRetriable: false },
  /** The partition's task moves, restores or has ended: it will run again soon, here or elsewhere. */
  'not-active': { isRetriable: true },
  /** The store has not processed what the position bound asks for. */
  'not-up-to-bound': { isRetriable: true },
  /** More queries wait already than may. */
  overloaded: { isRetriable: true },
  /** There was no answer in time. */
  timeout: { isRetriable: true },
  /** The store, or a serde, failed. */
  'store-exception': { isRetriable: false },
} as const satisfies Record<string, { isRetriable: boolean }>

export type QueryErrorReason = keyof typeof reasons

export function isQueryErrorReason(reason: unknown): reason is QueryErrorReason {
  return typeof reason === 'string' && Object.hasOwn(reasons, reason)
}

/** A query that has no answer: never taken for an empty one. The message is one line. Kafka Streams' QueryResult.forFailure. */
export class QueryError extends Error {
  readonly code: QueryErrorReason
  /** The same query may be answered in a moment. */
  readonly isRetriable: boolean

  constructor(code: QueryErrorReason, message: string, options?: { readonly cause?: unknown }) {
    super(oneLine(message), options)
    this.name = 'QueryError'
    this.code = code
    this.isRetriable = reasons[code].isRetriable
  }
}
