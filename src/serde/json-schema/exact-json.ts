/** Integers of 16 digits and more, wherever they stand: what lies within 2^53 has 16 at the most. */
const LONG_INTEGERS = /(?:^|[\s:,[])(-?\d{16,})(?![\d.eE])/g
const INTEGER = /^-?\d+$/

/** JSON.parse's third argument for a reviver, which TypeScript does not know of. */
interface ReviverContext {
  readonly source?: string
}

/**
 * JSON whose integers are numbers. JavaScript rounds those beyond 2^53: one that JSON.stringify would not have written so is an error.
 *
 * @throws SyntaxError for what is no JSON; RangeError for such an integer
 */
export function parseExactJson(text: string): unknown {
  const value = JSON.parse(text) as unknown
  // It may be a part of a text: the parser knows.
  for (const [, integer] of text.matchAll(LONG_INTEGERS))
    if (isRounded(integer!)) return JSON.parse(text, refuseRounded as never)
  return value
}

function isRounded(integer: string): boolean {
  return String(Number(integer)) !== integer
}

function refuseRounded(name: string, value: unknown, { source }: ReviverContext): unknown {
  if (source !== undefined && INTEGER.test(source) && isRounded(source)) {
    const where = name === '' ? '' : `${name}: `
    throw new RangeError(`${where}${source} is beyond 2^53, and no number of JavaScript`)
  }
  return value
}
