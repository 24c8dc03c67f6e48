import type { RegisteredSchema, WriterSchema } from '../serde/schema-source.ts'

/**
 * A schema registry, as far as Weir asks one: Confluent's API. Used by the main thread alone, which keeps what it learns: a schema's id never changes
 * its meaning.
 *
 * Every method rejects with a WeirError: schema-registry-unreachable (waiting may help), schema-registry-refused (credentials).
 */
export interface SchemaRegistry {
  /** For messages. */
  readonly name: string
  /** @returns null when there is none of this id */
  schema(id: number): Promise<RegisteredSchema | null>
  /** The newest schema of a subject. @returns null when there is none */
  latest(subject: string): Promise<RegisteredSchema | null>
  /** @returns null when there is none */
  version(subject: string, version: number): Promise<RegisteredSchema | null>
  /** @returns none for a subject that does not exist */
  versions(subject: string): Promise<readonly number[]>
  /** The schema as its subject has it. @returns null when it has not */
  lookUp(schema: WriterSchema): Promise<RegisteredSchema | null>
  /** Adds a schema to its subject, or finds it there. @throws WeirError also schema-refused, with the registry's reason */
  register(schema: WriterSchema): Promise<RegisteredSchema>
  /**
   * Asks whether a schema may follow those that its subject has, by the subject's rule.
   *
   * @returns why not; empty when it may; null when the subject has no schema
   */
  incompatibilities(schema: WriterSchema): Promise<readonly string[] | null>
  close(): Promise<void>
}
