import { whyForbidden } from './pass-through.ts'
import { rocksdbVariables } from './variables/rocksdb.ts'
import type { Values } from './variables.ts'

const PREFIX = 'WEIR_ROCKSDB_'

/** The option under which RocksDB's own option strings have the settings of tables; here they stand beside the others. */
const TABLE_OPTION = 'block_based_table_factory'

type TableKey = keyof typeof rocksdbVariables
const tableEntries = Object.entries(rocksdbVariables) as [TableKey, (typeof rocksdbVariables)[TableKey]][]
const byName = new Map(tableEntries.map((entry) => [settingName(entry[1].env), entry]))

/** `WEIR_ROCKSDB_BLOCK_SIZE` -> `block_size`. */
function settingName(env: string): string {
  return env.slice(PREFIX.length).toLowerCase()
}

/** `block_size` -> `WEIR_ROCKSDB_BLOCK_SIZE`. */
export function rocksDbVariable(name: string): string {
  return PREFIX + name.toUpperCase()
}

/**
 * The settings of an option string in RocksDB's syntax, `name=value;name={name=value;...}`; those of block-based tables beside the others.
 *
 * @throws Error that says what is wrong
 */
export function parseOptionString(text: string): Map<string, string> {
  const settings = new Map<string, string>()
  for (const part of splitOptions(text)) {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim().toLowerCase()
    const value = part.slice(at + 1).trim()
    if (at < 1 || !/^\w+$/.test(name)) throw new Error(`${part.trim()} is no name=value`)
    if (name === TABLE_OPTION)
      for (const [inner, own] of parseOptionString(unbraced(value))) settings.set(inner, own)
    else settings.set(name, value)
  }
  return settings
}

/** At semicolons outside of braces. */
function splitOptions(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '{') depth++
    if (text[index] === '}' && --depth < 0) break
    if (text[index] !== ';' || depth > 0) continue
    parts.push(text.slice(start, index))
    start = index + 1
  }
  if (depth !== 0) throw new Error('its braces do not match')
  parts.push(text.slice(start))
  return parts.filter((part) => part.trim() !== '')
}

/** Without the braces around a value that has settings of its own. */
export function unbraced(value: string): string {
  return value.startsWith('{') && value.endsWith('}') ? value.slice(1, -1) : value
}

/** What the table says of RocksDB's settings, in RocksDB's words: those that differ from what a database has by itself. */
export function rocksDbSettings(values: Values, isSet: (key: TableKey) => boolean): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const [key, variable] of tableEntries) {
    const value = values[key]
    if (value !== null && (isSet(key) || values.stateProfile !== 'nvme'))
      settings[settingName(variable.env)] = String(value)
  }
  return settings
}

/**
 * A setting that a store is given in code, in RocksDB's words.
 *
 * @returns `value`, or what is wrong with it
 */
export function storeSetting(
  name: string,
  value: unknown,
): { readonly value: string } | { readonly problem: string } {
  if (!['string', 'number', 'boolean'].includes(typeof value))
    return { problem: `${name} must be text, a number or a boolean` }
  const text = String(value)
  const why = whyForbidden('rocksdb', name, text, '')
  if (why !== null) return { problem: `${name} cannot be set: ${why}` }
  const [, variable] = byName.get(name) ?? []
  if (variable === undefined) return { value: text }
  const parsed = variable.type.schema.safeParse(text)
  if (parsed.success) return { value: String(parsed.data) }
  return { problem: `${name}=${text}: expected ${variable.type.allowed}` }
}
