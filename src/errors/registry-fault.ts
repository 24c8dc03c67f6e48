import { WeirError } from './weir-error.ts'

/** True when a schema could not be had: that says nothing about a record. */
export function isRegistryFault(error: unknown): error is WeirError {
  return (
    error instanceof WeirError &&
    (error.code === 'schema-registry-unreachable' || error.code === 'schema-registry-refused')
  )
}
