/** What an environment variable is, and how the tables in variables/ write one down. */
import type { Machine } from './machine.ts'
import type { ValueType } from './value-type.ts'

/** Settings that other settings' defaults are derived from. */
export interface KnownValues {
  readonly applicationId: string
  readonly processingGuarantee: string
  readonly maxPollIntervalMs: number
  readonly memoryBytes: number
  readonly numStreamThreads: number
  readonly stateProfile: string
}

export type DefaultValue<T> =
  | { readonly kind: 'required' }
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly value: T }
  | {
      readonly kind: 'derived'
      readonly text: string
      readonly compute: (known: KnownValues, machine: Machine) => T
    }

export type VariableGroup =
  | 'Application'
  | 'Processing'
  | 'Errors'
  | 'Group'
  | 'State'
  | 'RocksDB'
  | 'Memory'
  | 'Security'
  | 'Schema registry'
  | 'Cassandra'
  | 'Observation'

/** One environment variable. */
export interface Variable<T = unknown> {
  readonly env: `WEIR_${string}`
  /** What Kafka Streams or Kafka calls it; null for Weir's own. */
  readonly kafka: string | null
  readonly group: VariableGroup
  readonly type: ValueType<T>
  readonly unit: 'ms' | 'bytes' | null
  readonly default: DefaultValue<T>
  readonly meaning: string
  /** Never printed, and readable from a file by `<env>_FILE`. */
  readonly secret: boolean
}

interface VariableInput<T> {
  readonly env: `WEIR_${string}`
  readonly kafka?: string
  readonly group: VariableGroup
  readonly type: ValueType<T>
  readonly unit?: 'ms' | 'bytes'
  readonly meaning: string
  readonly secret?: true
}

export function variable<T>(input: VariableInput<T>, defaultValue: DefaultValue<T>): Variable<T> {
  return { kafka: null, unit: null, secret: false, ...input, default: defaultValue }
}

export const required = { kind: 'required' } as const

/** Not set: null. */
export function optional<T>(input: VariableInput<T>): Variable<T | null> {
  return variable(input as unknown as VariableInput<T | null>, { kind: 'none' })
}

export function fixed<T>(value: T): DefaultValue<T> {
  return { kind: 'fixed', value }
}

export function derived<T>(
  described: string,
  compute: (known: KnownValues, machine: Machine) => T,
): DefaultValue<T> {
  return { kind: 'derived', text: described, compute }
}

const maskedValue = '(hidden)'

/** A value as it may be printed: on one line, and hidden when it is a secret. */
export function shown(value: string, secret: boolean): string {
  return secret ? maskedValue : value.replace(/[\r\n]+/g, ' ')
}
