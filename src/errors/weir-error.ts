import type { ErrorCode } from './codes.ts'

/** Text on one line: line ends and the blanks around them become one blank. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim()
}

/**
 * An error that Weir names. `message` is one line that says what, where and what is allowed; `code` is a row of the table in codes.ts,
 * which says what happens next. Only the code and the message survive the way to another thread.
 */
export class WeirError extends Error {
  readonly code: ErrorCode

  /** @param options.cause what led to it; its message is not repeated here */
  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(oneLine(message), options)
    this.name = 'WeirError'
    this.code = code
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(cause: unknown): string {
  return oneLine(cause instanceof Error ? cause.message : String(cause))
}
