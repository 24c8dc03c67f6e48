import type { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

const PRESENT = 1

/**
 * Values of a store that remembers what is not there: no bytes for null, else a 1 and the value's own bytes. A store's changelog has them so, too: a null record
 * would say nothing of a key there.
 */
export function presenceSerde<T>(serde: Serde<T>): Serde<T | null> {
  const { awaits } = serde
  return {
    name: serde.name,
    serialize(value, writer: ByteWriter) {
      if (value === null) return
      writer.writeUInt8(PRESENT)
      serde.serialize(value, writer)
    },
    deserialize(buffer, start, end) {
      if (start === end) return null
      if (buffer[start] !== PRESENT)
        throw new Error(
          `a row begins with ${buffer[start]}, not with ${PRESENT}: it is none of a tiered store`,
        )
      return serde.deserialize(buffer, start + 1, end)
    },
    ...(awaits !== undefined && {
      awaits: (buffer, start, end) => (start === end ? null : awaits.call(serde, buffer, start + 1, end)),
    }),
  }
}

/** What comes before a value that is there. */
export const PRESENT_BYTES = Uint8Array.of(PRESENT)
