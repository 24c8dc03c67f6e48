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
): DeserializationError {
  return new DeserializationError(`the ${part} (${length} bytes) is no ${serde.name}: ${messageOf(cause)}`, {
    cause,
  })
}
