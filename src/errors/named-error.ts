import { decisionFor } from './decision.ts'
import { messageOf, WeirError } from './weir-error.ts'

/** Anything that was thrown as an error that Weir names: itself, or its row of the table, with `what` before its message. */
export function namedError(error: unknown, what: string): WeirError {
  if (error instanceof WeirError) return error
  return new WeirError(decisionFor(error).code, `${what}: ${messageOf(error)}`, { cause: error })
}
