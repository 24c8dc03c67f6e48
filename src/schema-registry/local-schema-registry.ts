import {
  isAmong,
  type NamedSchema,
  type RegisteredSchema,
  type WriterSchema,
} from '../serde/schema-source.ts'
import type { SchemaRegistry } from './schema-registry.ts'

/**
 * A stand-in for a schema registry, in this process and for it alone: for tests and demos. It gives ids to schemas, keeps subjects and their versions, and
 * takes every schema: it compares none with the one before, and forgets all when the process ends.
 */
export class LocalSchemaRegistry implements SchemaRegistry {
  readonly name = 'the local schema registry'
  readonly #byId: RegisteredSchema[] = []
  readonly #ids = new Map<string, number>()
  /** Ids, in order of version. */
  readonly #subjects = new Map<string, number[]>()

  /** Names of the subjects that there are, in order of their first schema. */
  get subjects(): readonly string[] {
    return [...this.#subjects.keys()]
  }

  /** Adds a schema to a subject, or finds it there. @param schema its JSON or its text; Avro */
  add(subject: string, schema: string | object): RegisteredSchema {
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
    return this.registerNow({ subject, type: 'AVRO', schema: text, references: [], isInternal: false })
  }

  /** As `register`, at once. */
  registerNow({ subject, type, schema, references }: WriterSchema): RegisteredSchema {
    const content = JSON.stringify([type, schema, references])
    let id = this.#ids.get(content)
    if (id === undefined) {
      id = this.#byId.length + 1
      this.#ids.set(content, id)
      const found: NamedSchema[] = []
      for (const reference of references) {
        const version = this.versionNow(reference.subject, reference.version)
        if (version === null)
          throw new RangeError(
            `the local schema registry has no version ${reference.version} of ${reference.subject}`,
          )
        const { name } = reference
        for (const one of [...version.references, { name, schema: version.schema }])
          if (!isAmong(one, found)) found.push(one)
      }
      this.#byId.push({ id, type, schema, references: found })
    }
    const versions = this.#subjects.get(subject) ?? []
    if (!versions.includes(id)) this.#subjects.set(subject, [...versions, id])
    return this.#byId[id - 1]!
  }

  schemaNow(id: number): RegisteredSchema | null {
    return this.#byId[id - 1] ?? null
  }

  latestNow(subject: string): RegisteredSchema | null {
    return this.schemaNow(this.#subjects.get(subject)?.at(-1) ?? 0)
  }

  versionNow(subject: string, version: number): RegisteredSchema | null {
    return this.schemaNow(this.#subjects.get(subject)?.[version - 1] ?? 0)
  }

  async schema(id: number): Promise<RegisteredSchema | null> {
    return this.schemaNow(id)
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return this.latestNow(subject)
  }

  async version(subject: string, version: number): Promise<RegisteredSchema | null> {
    return this.versionNow(subject, version)
  }

  async versions(subject: string): Promise<readonly number[]> {
    return (this.#subjects.get(subject) ?? []).map((_id, index) => index + 1)
  }

  async lookUp({ subject, type, schema, references }: WriterSchema): Promise<RegisteredSchema | null> {
    const id = this.#ids.get(JSON.stringify([type, schema, references]))
    return id !== undefined && this.#subjects.get(subject)?.includes(id) === true ? this.schemaNow(id) : null
  }

  async register(schema: WriterSchema): Promise<RegisteredSchema> {
    return this.registerNow(schema)
  }

  async incompatibilities({ subject }: WriterSchema): Promise<readonly string[] | null> {
    return this.#subjects.has(subject) ? [] : null
  }

  async close(): Promise<void> {}
}
