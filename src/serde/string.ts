import type { Serde } from './serde.ts'
import { decodeUtf8 } from './utf8.ts'

/** Text as UTF-8, without a length. Java's Serdes.String, but malformed text is an error both ways. */
export const stringSerde: Serde<string> = {
  name: 'string',
  primitive: true,
  deserialize: decodeUtf8,
  serialize(value, writer) {
    if (typeof value !== 'string') throw new TypeError(`a string is expected, not ${typeof value}`)
    writer.writeUtf8(value)
  },
}
