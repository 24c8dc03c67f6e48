import { ConfigError } from '../config/config-error.ts'
import { decisionFor } from '../errors/decision.ts'
import { messageOf } from '../errors/weir-error.ts'

/** What a command that failed prints: one line for each thing that is wrong. */
export function errorLines(error: unknown): string[] {
  if (error instanceof ConfigError) return error.problems.map((problem) => `weir: ${problem}`)
  const lines = [`weir: ${messageOf(error)}`]
  // A bug needs the stack of where it happened, maybe in another thread; everything else has a message that says what to do.
  const origin = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (decisionFor(error).code === 'internal' && origin instanceof Error && origin.stack !== undefined)
    lines.push(origin.stack)
  return lines
}

/** Prints what went wrong to standard error. @returns the exit code */
export function reportError(error: unknown): number {
  process.stderr.write(`${errorLines(error).join('\n')}\n`)
  return decisionFor(error).exitCode
}
