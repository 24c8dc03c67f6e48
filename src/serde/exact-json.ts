/** JSON's integers, which have any number of digits: JavaScript rounds those beyond 2^53. */

/** Integers of 16 digits and more, wherever they stand: what lies within 2^53 has 16 at the most. */
const LONG_INTEGERS = /(?:^|[\s:,[])(-?\d{16,})(?![\d.eE])/g
const INTEGER = /^-?\d+$/

/** JSON.parse's third argument for a reviver, which TypeScript does not know of. */
interface ReviverContext {
  readonly source?: string
}

/** Whether an integer becomes another one; what JSON.stringify makes of a number never does. */
function isRounded(source: string | undefined): source is string {
  return source !== undefined && INTEGER.test(source) && String(Number(source)) !== source
}

/**
 * JSON whose integers are numbers. One that would be rounded is an error.
 *
 * @throws SyntaxError for what is no JSON; RangeError for such an integer
 */
export function parseExactJson(text: string): unknown {
  const value = JSON.parse(text) as unknown
  // It may be a part of a text: the parser knows.
  for (const [, integer] of text.matchAll(LONG_INTEGERS))
    if (isRounded(integer)) return JSON.parse(text, refuseRounded as never)
  return value
}

function refuseRounded(name: string, value: unknown, { source }: ReviverContext): unknown {
  if (isRounded(source)) {
    const where = name === '' ? '' : `${name}: `
    throw new RangeError(`${where}${source} is beyond 2^53, and no number of JavaScript`)
  }
  return value
}

/** For JSON.parse: integers that would be rounded are bigints. */
export const exactIntegers = ((_name: string, value: unknown, { source }: ReviverContext): unknown =>
  isRounded(source) ? BigInt(source) : value) as (this: unknown, name: string, value: unknown) => unknown
