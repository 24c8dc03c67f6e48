/** What serdes ask of a schema registry, and how threads know what it has. */

/** A schema as the registry has it. Can be cloned. */
export interface RegisteredSchema {
  readonly id: number
  /** AVRO, JSON, PROTOBUF. */
  readonly type: string
  /** Its text. */
  readonly schema: string
  /** The schemas that it refers to, each after those that it refers to itself. */
  readonly references: readonly NamedSchema[]
}

/** A schema that others refer to. */
export interface NamedSchema {
  /** As those that refer to it call it. */
  readonly name: string
  /** Its text. */
  readonly schema: string
}

export function isAmong({ name, schema }: NamedSchema, schemas: readonly NamedSchema[]): boolean {
  return schemas.some((other) => other.name === name && other.schema === schema)
}

/** Of a schema's references, for a format in which a schema has its names in itself: one that is referred to by several names is there once. */
export function referenceTexts(references: readonly NamedSchema[]): string[] {
  return [...new Set(references.map(({ schema }) => schema))]
}

/** Another subject's schema, whose names a schema uses. Confluent's SchemaReference. */
export interface SchemaReference {
  /** How the schema calls it: for Avro the full name of a record, enum or fixed. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema that values are written with. */
export interface WriterSchema {
  readonly subject: string
  readonly type: string
  readonly schema: string
  readonly references: readonly SchemaReference[]
  /** The subject is one of the application's own topics. */
  readonly isInternal: boolean
}

/** What has to be known before a topology is processed. */
export type SchemaNeed =
  /** The id of a schema that is written. */
  | ({ readonly kind: 'writer' } & WriterSchema)
  /** What is read with this schema: of interest to a check alone. */
  | ({ readonly kind: 'reader' } & WriterSchema)
  /** The newest schema of a subject. */
  | { readonly kind: 'latest'; readonly subject: string }
  /** One version of a subject. */
  | { readonly kind: 'version'; readonly subject: string; readonly version: number }
  /** Every schema that a subject has: a store may hold values of each. One that does not exist has none. */
  | { readonly kind: 'all'; readonly subject: string }

/** A need that is answered with one schema. */
export type AnsweredNeed = Exclude<SchemaNeed, { kind: 'all' | 'reader' }>

/** Under which name the answer to a need is kept. */
export function needKey(need: SchemaNeed): string {
  switch (need.kind) {
    case 'writer':
      return `writer ${need.subject} ${need.schema}`
    case 'version':
      return `version ${need.subject} ${need.version}`
    default:
      return `${need.kind} ${need.subject}`
  }
}

/** The schemas as one thread knows them. */
export interface SchemaSource {
  /** @returns null: the registry had none of this id when it was asked last; undefined: that is not known here yet */
  schema(id: number): RegisteredSchema | null | undefined
  /** What `schema(id)` is worth waiting for: it is not known, or was not there a while ago. @returns null otherwise. Does not reject */
  awaits(id: number): Promise<void> | null
  /** What a need was answered with. @throws Error for one that was not asked before */
  answer(need: AnsweredNeed): RegisteredSchema
  /**
   * Blocks the thread until `schema(id)` is known: for what has to be read in the middle of a record.
   *
   * @throws WeirError schema-registry-unreachable when it takes too long; schema-registry-refused
   */
  fetchNow(id: number): RegisteredSchema | null
}
