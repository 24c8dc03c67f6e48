import type { Variable } from './variable.ts'
import { applicationVariables } from './variables/application.ts'
import { cassandraVariables } from './variables/cassandra.ts'
import { errorVariables } from './variables/errors.ts'
import { groupVariables } from './variables/group.ts'
import { memoryVariables } from './variables/memory.ts'
import { observationVariables } from './variables/observation.ts'
import { processingVariables } from './variables/processing.ts'
import { rocksdbProcessVariables, rocksdbVariables } from './variables/rocksdb.ts'
import { schemaRegistryVariables } from './variables/schema-registry.ts'
import { securityVariables } from './variables/security.ts'
import { stateVariables } from './variables/state.ts'

/**
 * Every setting, by the name it has in code, in the order of the documentation: one table for each group, in variables/. A default is derived from
 * settings above it only. Pass-through settings (WEIR_CONSUMER_* and so on) are in pass-through.ts.
 */
export const variables = {
  ...applicationVariables,
  ...memoryVariables,
  ...processingVariables,
  ...errorVariables,
  ...groupVariables,
  ...stateVariables,
  ...rocksdbVariables,
  ...rocksdbProcessVariables,
  ...securityVariables,
  ...schemaRegistryVariables,
  ...cassandraVariables,
  ...observationVariables,
} as const

export type VariableKey = keyof typeof variables

/** Every setting's value by its key; null where it is optional and not set. */
export type Values = {
  -readonly [K in VariableKey]: (typeof variables)[K] extends Variable<infer T> ? T : never
}
