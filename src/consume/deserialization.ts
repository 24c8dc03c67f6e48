import { isRegistryFault } from '../errors/registry-fault.ts'
import { messageOf } from '../errors/weir-error.ts'
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
  if (isRegistryFault(cause)) return cause
  return new DeserializationError(`the ${part} (${length} bytes) is no ${serde.name}: ${messageOf(cause)}`, {
    cause,
  })
}
