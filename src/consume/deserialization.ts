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
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DeserializationError(`the ${part} (${length} bytes) is no ${serde.name}: ${reason}`, { cause })
}
