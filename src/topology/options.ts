/** Checks of what a topology is told. Each throws a TopologyError with one line that begins with `where`. */
import type { Serde } from '../serde/serde.ts'
import { TopologyError } from './topology-error.ts'

const NAME_LENGTH_MAX = 249

/** The options are an object (or left out) and have no other keys than `allowed`. */
export function checkOptions(where: string, options: unknown, allowed: readonly string[]): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TopologyError(`${where}: the options must be an object with ${allowed.join(', ')}`)
  }
  for (const option of Object.keys(options)) {
    if (!allowed.includes(option)) {
      throw new TopologyError(`${where}: unknown option ${option}; allowed: ${allowed.join(', ')}`)
    }
  }
}

/** A name that topics are called by, or made from. Kafka Streams' Named.validate. */
export function checkName(where: string, what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TopologyError(`${where}: ${what} must be text, not ${kindOf(name)}`)
  if (!/^[a-zA-Z0-9._-]+$/.test(name) || name === '.' || name === '..') {
    throw new TopologyError(
      `${where}: ${what} is ${JSON.stringify(name)}; allowed are letters, digits, '.', '_' and '-'`,
    )
  }
  if (name.length > NAME_LENGTH_MAX) {
    throw new TopologyError(
      `${where}: ${what} has ${name.length} characters; allowed are up to ${NAME_LENGTH_MAX}`,
    )
  }
}

export function checkSerde(where: string, what: string, serde: unknown): asserts serde is Serde<unknown> {
  const { serialize, deserialize } = (serde ?? {}) as Partial<Record<keyof Serde<unknown>, unknown>>
  if (typeof serialize !== 'function' || typeof deserialize !== 'function') {
    const hint = typeof serde === 'function' ? ' (serdes.json is called: serdes.json())' : ''
    throw new TopologyError(`${where}: ${what} must be a serde, not ${kindOf(serde)}${hint}`)
  }
}

export function checkFunction(where: string, what: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new TopologyError(`${where}: ${what} must be a function, not ${kindOf(value)}`)
}

export function checkBoolean(where: string, what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TopologyError(`${where}: ${what} must be true or false, not ${kindOf(value)}`)
  }
}

export function checkConcurrency(where: string, concurrency: unknown): void {
  if (!Number.isSafeInteger(concurrency) || (concurrency as number) < 1 || (concurrency as number) > 10_000) {
    throw new TopologyError(
      `${where}: concurrency is ${String(concurrency)}; allowed is a whole number from 1 to 10000`,
    )
  }
}

export function checkNames(where: string, what: string, names: unknown): asserts names is readonly string[] {
  if (!Array.isArray(names))
    throw new TopologyError(`${where}: ${what} must be a list of names, not ${kindOf(names)}`)
  for (const name of names) {
    if (typeof name !== 'string')
      throw new TopologyError(`${where}: ${what} has ${kindOf(name)} among its names`)
  }
}

/** For messages: what a wrong value is. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return `a ${typeof value}`
}

/** One name is a list of one. What else it is, `checkNames` says. */
export function listOf(oneOrMany: unknown): unknown {
  return typeof oneOrMany === 'string' ? [oneOrMany] : oneOrMany
}
