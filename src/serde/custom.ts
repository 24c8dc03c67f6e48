import type { Serde } from './serde.ts'

/** A pair of functions on bytes of their own. */
export interface CustomSerde<T> {
  /** For messages: `the value (12 bytes) is no <name>: ...`. */
  readonly name: string
  serialize(value: T): Uint8Array
  /** @param bytes a copy of exactly the value's bytes, which may be kept */
  deserialize(bytes: Buffer): T
}

const OPTIONS = ['name', 'serialize', 'deserialize']

/** A serde from functions on whole byte arrays: it costs a copy each way and cannot read into the next record. */
export function customSerde<T>(options: CustomSerde<T>): Serde<T> {
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option))
      throw new TypeError(`serdes.custom: unknown option ${option}; allowed: ${OPTIONS.join(', ')}`)
  }
  const { name } = options
  if (typeof name !== 'string' || name === '') throw new TypeError('serdes.custom: name must be text')
  for (const method of ['serialize', 'deserialize'] as const) {
    if (typeof options[method] !== 'function')
      throw new TypeError(`serdes.custom: ${name}: ${method} must be a function`)
  }
  return {
    name,
    deserialize(buffer, start, end) {
      return options.deserialize(Buffer.from(buffer.subarray(start, end)))
    },
    serialize(value, writer) {
      const bytes = options.serialize(value)
      if (!(bytes instanceof Uint8Array)) {
        throw new TypeError(
          `serde ${name}: serialize must return a Buffer or Uint8Array, not ${typeof bytes}`,
        )
      }
      writer.writeBytes(bytes)
    },
  }
}
