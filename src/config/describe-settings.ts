import { isSecretName, passThroughGroups } from './pass-through.ts'
import type { Settings, Source } from './settings.ts'
import type { Variable, VariableGroup } from './variable.ts'
import { type VariableKey, variables } from './variables.ts'

/** One setting for people to read. */
export interface DescribedSetting {
  readonly variable: string
  readonly group: VariableGroup | 'Pass-through'
  /** What Kafka Streams, Kafka, librdkafka or RocksDB calls it; null for Weir's own. */
  readonly kafkaName: string | null
  /** null: not set and without a default. `(hidden)` for a secret that is set. */
  readonly value: string | number | null
  readonly source: Source
  readonly default: string
  readonly allowed: string
  readonly unit: 'ms' | 'bytes' | null
  readonly meaning: string
}

const hidden = '(hidden)'

/** A variable's default in words. */
export function describeDefault(variable: Variable): string {
  switch (variable.default.kind) {
    case 'required':
      return 'required'
    case 'none':
      return 'not set'
    case 'fixed':
      return String(variable.default.value)
    case 'derived':
      return variable.default.text
  }
}

/** Every setting of the table, then those passed through; secrets hidden. */
export function describeSettings(settings: Settings): DescribedSetting[] {
  const table = (Object.entries(variables) as [VariableKey, Variable][]).map(
    ([key, variable]): DescribedSetting => {
      const value = settings.values[key]
      return {
        variable: variable.env,
        group: variable.group,
        kafkaName: variable.kafka,
        value: value !== null && variable.secret ? hidden : value,
        source: settings.sources[key],
        default: describeDefault(variable),
        allowed: variable.type.allowed,
        unit: variable.unit,
        meaning: variable.meaning,
      }
    },
  )
  const passedThrough = passThroughGroups.flatMap((group) =>
    Object.entries(settings.passThrough[group.key]).map(([name, value]): DescribedSetting => {
      return {
        variable: group.prefix + name.toUpperCase().replaceAll('.', '_'),
        group: 'Pass-through',
        kafkaName: name,
        value: isSecretName(name) ? hidden : value,
        source: 'environment',
        default: 'not set',
        allowed: `what ${group.target} take`,
        unit: null,
        meaning: `Passed through to ${group.target}.`,
      }
    }),
  )
  return [...table, ...passedThrough]
}
