/** Pieces of TypeScript. */

/** What no type may be called: TypeScript's own, and what the written files use. */
const RESERVED = new Set(
  (
    'any as await bigint boolean break case catch class const continue debugger default delete do else enum export extends false finally for function if ' +
    'implements import in instanceof interface let never new null number object package private protected public return static string super switch symbol ' +
    'this throw true try type typeof undefined unknown var void while with yield AvroDuration AvroSchemaOf Buffer'
  ).split(' '),
)

export function isTypeName(name: string): boolean {
  return !RESERVED.has(name)
}

/** `orders-value` -> `OrdersValue`. */
export function toTypeName(text: string): string {
  const name = text
    .split(/[^A-Za-z0-9_]+/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('')
  return /^[A-Za-z_]/.test(name) && isTypeName(name) ? name : `_${name}`
}

export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** A comment before what it is on, or nothing. */
export function docComment(doc: string | undefined, indent: string): string {
  const lines = (doc ?? '')
    .replaceAll('*/', '*\\/')
    .split(/\r?\n/)
    .map((line) => line.trim())
  while (lines.length > 0 && lines.at(-1) === '') lines.pop()
  while (lines.length > 0 && lines[0] === '') lines.shift()
  if (lines.length === 0) return ''
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}
