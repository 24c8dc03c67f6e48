/** What producers of Avro do without Weir: register a schema, and write values in Confluent's wire format. */
import avsc from 'avsc'

/** A schema that a registry has, for one topic's values. */
export class AvroValues {
  readonly #type: avsc.Type
  readonly #header: Buffer

  private constructor(schema: object, id: number) {
    this.#type = avsc.Type.forSchema(schema as avsc.Schema)
    this.#header = Buffer.alloc(5)
    this.#header.writeUInt32BE(id, 1)
  }

  /** @throws Error with the registry's reason when it refuses the schema */
  static async register(registryUrl: string, topic: string, schema: object): Promise<AvroValues> {
    const response = await fetch(`${registryUrl}/subjects/${topic}-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    })
    const answer = (await response.json()) as { id?: number; message?: string }
    if (answer.id === undefined)
      throw new Error(`${topic}: the registry refuses the schema: ${answer.message ?? response.status}`)
    return new AvroValues(schema, answer.id)
  }

  write(value: object): Buffer {
    return Buffer.concat([this.#header, this.#type.toBuffer(value)])
  }

  /** Whether a value was written with this very schema. */
  wrote(bytes: Buffer): boolean {
    return bytes.compare(this.#header, 0, 5, 0, 5) === 0
  }

  /** REQUIRES `wrote(bytes)`. */
  read(bytes: Buffer): unknown {
    return this.#type.fromBuffer(bytes.subarray(5))
  }
}
