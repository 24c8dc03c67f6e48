import { localSerde } from '../../serde/binding.ts'
import { ByteWriter } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'

/**
 * A store hands out the value it keeps. What a user's function may change must be a copy, and is what would have been
 * read back. Values that cannot be changed are returned as they are.
 */
export function copier<T>(serde: Serde<T>): (value: T) => T {
  const writer = new ByteWriter(256)
  const local = localSerde(serde)
  return (value) => {
    if (typeof value !== 'object' || value === null) return value
    const copy = local.copy?.(value)
    if (copy !== undefined) return copy
    writer.reset()
    local.serialize(value, writer)
    return local.deserialize(writer.buffer, 0, writer.position)
  }
}
