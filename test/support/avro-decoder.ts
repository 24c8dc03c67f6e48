/**
 * Avro's binary encoding, read by code that shares nothing with Weir or avsc: for what fuzzed bytes are worth. As strict as docs/avro.md says Weir is.
 */
export type AvroSchema =
  | string
  | readonly AvroSchema[]
  | { readonly type: string; readonly [attribute: string]: unknown }

interface Field {
  readonly name: string
  readonly type: AvroSchema
  readonly default?: unknown
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The value as a reader sees it whose record has some of the writer's fields, and others with defaults.
 *
 * @throws Error for bytes that are no such value, or do not end with it
 */
export function decodeAvro(bytes: Buffer, writer: AvroSchema, reader: AvroSchema): unknown {
  const decoder = new Decoder(bytes)
  decoder.define(writer)
  const value = decoder.read(writer, reader)
  if (decoder.at !== bytes.length) throw new Error('bytes are left over')
  return value
}

class Decoder {
  readonly #bytes: Buffer
  readonly #names = new Map<string, AvroSchema>()
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  define(schema: AvroSchema): void {
    if (typeof schema === 'string') return
    if (Array.isArray(schema)) {
      for (const branch of schema as readonly AvroSchema[]) this.define(branch)
      return
    }
    const { name, items, values, fields = [] } = schema as Record<string, unknown>
    if (typeof name === 'string') this.#names.set(name, schema)
    for (const inner of [items, values]) if (inner !== undefined) this.define(inner as AvroSchema)
    for (const field of fields as readonly Field[]) this.define(field.type)
  }

  /** @param reader null: nobody reads it, it is passed over */
  read(schema: AvroSchema, reader: AvroSchema | null): unknown {
    if (Array.isArray(schema)) {
      const branch = (schema as readonly AvroSchema[])[this.#small()]
      if (branch === undefined) throw new Error('no such branch')
      return this.read(branch, reader)
    }
    if (typeof schema === 'string' && this.#names.has(schema))
      return this.read(this.#names.get(schema)!, reader)
    const whole = (typeof schema === 'string' ? { type: schema } : schema) as Record<string, unknown>
    switch (whole.type) {
      case 'null':
        return null
      case 'boolean': {
        const byte = this.#take(1)[0]!
        if (byte > 1 && reader !== null) throw new Error('no boolean')
        return byte === 1
      }
      case 'int': {
        const value = this.#long(reader !== null)
        if (reader !== null && BigInt.asIntN(32, value) !== value) throw new Error('no int')
        return Number(value)
      }
      case 'long': {
        const value = this.#long(reader !== null)
        if (reader !== null && !Number.isSafeInteger(Number(value))) throw new Error('beyond 2^53')
        return Number(value)
      }
      case 'float':
        return this.#take(4).readFloatLE()
      case 'double':
        return this.#take(8).readDoubleLE()
      case 'bytes':
        return this.#take(this.#small())
      case 'string': {
        const bytes = this.#take(this.#small())
        return reader === null ? null : utf8.decode(bytes)
      }
      case 'fixed':
        return this.#take(whole.size as number)
      case 'enum': {
        const index = this.#long(reader !== null)
        const symbol = (whole.symbols as readonly string[])[Number(index)]
        if (symbol === undefined && reader !== null) throw new Error('no such symbol')
        return symbol
      }
      case 'array': {
        const values: unknown[] = []
        this.#blocks(reader === null, () => values.push(this.read(whole.items as AvroSchema, reader)))
        return values
      }
      case 'map': {
        const values: Record<string, unknown> = {}
        this.#blocks(reader === null, () => {
          const key = this.read('string', reader) as string
          values[key] = this.read(whole.values as AvroSchema, reader)
        })
        return values
      }
      case 'record':
        return this.#record(whole, reader)
      default:
        throw new Error(`no type ${String(whole.type)}`)
    }
  }

  #record({ name, fields }: Record<string, unknown>, reader: AvroSchema | null): unknown {
    const readers = (reader as { fields?: readonly Field[] } | null)?.fields
    const read: Record<string, unknown> = {}
    for (const field of fields as readonly Field[]) {
      const own = readers?.find((one) => one.name === field.name)
      // A record within itself: its reader is the record that it was found in.
      const isSelf = own !== undefined && Array.isArray(own.type) && own.type.includes(name)
      const value = this.read(field.type, own === undefined ? null : isSelf ? reader : own.type)
      if (own !== undefined) read[field.name] = value
    }
    const values = (readers ?? []).map((field) => [
      field.name,
      Object.hasOwn(read, field.name) ? read[field.name] : field.default,
    ])
    return Object.fromEntries(values) as object
  }

  #blocks(isSkipped: boolean, each: () => void): void {
    for (;;) {
      let count = this.#small()
      if (count === 0) return
      if (count < 0) {
        // It says how many bytes they take: of use to those alone who pass over them.
        const bytes = this.#long(isSkipped)
        if (isSkipped) {
          this.#take(Number(bytes))
          continue
        }
        count = -count
      }
      // What the bytes do not hold ends them.
      for (; count > 0; count--) each()
    }
  }

  /** A number that is none of a value: a length, a count, an index. */
  #small(): number {
    return Number(this.#long())
  }

  /** @param isChecked whether more than 64 bits are an error; more than ten bytes always are */
  #long(isChecked = true): bigint {
    let zigzag = 0n
    for (let index = 0; ; index++) {
      const byte = this.#take(1)[0]!
      if (index === 10) throw new Error('no integer')
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) break
    }
    if (isChecked && zigzag >= 1n << 64n) throw new Error('no integer')
    return zigzag % 2n === 0n ? zigzag / 2n : -(zigzag + 1n) / 2n
  }

  #take(bytes: number): Buffer {
    if (!(bytes >= 0 && this.at + bytes <= this.#bytes.length)) throw new Error('no such bytes')
    this.at += bytes
    return this.#bytes.subarray(this.at - bytes, this.at)
  }
}
