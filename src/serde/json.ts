import type { Serde } from './serde.ts'
import { decodeUtf8 } from './utf8.ts'

/** JSON as UTF-8. What is read is not checked against the type that the caller names. */
export const jsonSerde: Serde<unknown> = {
  name: 'json',
  deserialize(buffer, start, end) {
    return JSON.parse(decodeUtf8(buffer, start, end))
  },
  serialize(value, writer) {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeof value}`)
    writer.writeUtf8(text)
  },
}
