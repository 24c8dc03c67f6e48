import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { Serde } from '../serde/serde.ts'

/** A key or value that its serde could not read. The task adds topic, partition and offset. */
export class DeserializationError extends Error {
  override readonly name = 'DeserializationError'
}

export function deserializationFailed(
  part: 'key' | 'value',
  serde: Serde<unknown>,
  length: number,
  cause: unknown,
): Error {
  // What waiting may cure says nothing about the record.
  if (cause instanceof WeirError && cause.code === 'schema-registry-unreachable') return cause
  return new DeserializationError(`the ${part} (${length} bytes) is no ${serde.name}: ${messageOf(cause)}`, {
    cause,
  })
}
