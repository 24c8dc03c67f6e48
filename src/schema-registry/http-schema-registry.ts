import { isDeepStrictEqual } from 'node:util'
import { oneLine, WeirError } from '../errors/weir-error.ts'
import { exactIntegers } from '../serde/exact-json.ts'
import {
  isAmong,
  type NamedSchema,
  type RegisteredSchema,
  type SchemaReference,
  type WriterSchema,
} from '../serde/schema-source.ts'
import {
  type RegistryAnswer,
  RegistryClient,
  type RegistryRequest,
  type RequestListener,
  reasonIn,
} from './registry-client.ts'
import type { RegistrySettings } from './registry-settings.ts'
import type { SchemaRegistry } from './schema-registry.ts'

/** A schema that refers to itself through others would be asked for without an end. */
const REFERENCES_DEPTH_MAX = 32

/** What the registry's JSON has. */
interface SchemaBody {
  readonly id?: number
  readonly schema: string
  /** Avro when it is not told. */
  readonly schemaType?: string
  readonly references?: readonly SchemaReference[]
}

interface CompatibilityBody {
  readonly is_compatible: boolean
  /** Confluent's say why so, Apicurio's with one text. */
  readonly messages?: readonly string[]
  readonly reason?: string | null
}

/** A registry with Confluent's API, as Confluent's own, Apicurio's and Redpanda's have it. */
export class HttpSchemaRegistry implements SchemaRegistry {
  readonly name: string
  readonly #client: RegistryClient

  /** @param onRequest is told of each request. Default: nobody is */
  constructor(settings: RegistrySettings, onRequest: RequestListener = () => {}) {
    this.name = settings.urls.join(', ')
    this.#client = new RegistryClient(settings, onRequest)
  }

  async schema(id: number): Promise<RegisteredSchema | null> {
    const body = await this.#get('schema', `/schemas/ids/${id}`)
    return body === null ? null : await this.#whole(id, body)
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return await this.#version(subject, 'latest')
  }

  async version(subject: string, version: number): Promise<RegisteredSchema | null> {
    return await this.#version(subject, version)
  }

  async versions(subject: string): Promise<readonly number[]> {
    const answer = await this.#client.send(
      'versions',
      'GET',
      `/subjects/${encodeURIComponent(subject)}/versions`,
    )
    if (answer.status === 404) return []
    return checked(answer, `the versions of ${subject}`) as number[]
  }

  async lookUp(schema: WriterSchema): Promise<RegisteredSchema | null> {
    const path = `/subjects/${encodeURIComponent(schema.subject)}`
    const answer = await this.#client.send('look-up', 'POST', path, bodyOf(schema))
    if (answer.status === 404) return await this.#sameJson(schema)
    return await this.#written(answer, schema)
  }

  async register(schema: WriterSchema): Promise<RegisteredSchema> {
    const path = `/subjects/${encodeURIComponent(schema.subject)}/versions`
    return await this.#written(await this.#client.send('register', 'POST', path, bodyOf(schema)), schema)
  }

  async incompatibilities(schema: WriterSchema): Promise<readonly string[] | null> {
    const { subject } = schema
    const versions = await this.versions(subject)
    if (versions.length === 0) return null
    // The request that names no version means all of them to some registries, those that the rule says to others, and some do not have it.
    const compared = (await this.#isTransitive(subject)) ? versions.toReversed() : ['latest']
    for (const version of compared) {
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/${version}?verbose=true`
      const answer = await this.#client.send('check', 'POST', path, bodyOf(schema))
      const reasons = reasonsIn(checked(answer, `the check of subject ${subject}`) as CompatibilityBody)
      if (reasons.length > 0) return reasons
    }
    return []
  }

  /** Whether a subject's rule compares with every version; its own rule, else that of the registry. */
  async #isTransitive(subject: string): Promise<boolean> {
    let answer = await this.#client.send(
      'check',
      'GET',
      `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`,
    )
    if (answer.status === 404) answer = await this.#client.send('check', 'GET', '/config')
    const rule = checked(answer, `the compatibility level of subject ${subject}`)
    const { compatibilityLevel } = rule as { compatibilityLevel?: unknown }
    return typeof compatibilityLevel === 'string' && compatibilityLevel.endsWith('_TRANSITIVE')
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  /**
   * The newest version with the same JSON, whatever its white space: Confluent's registry compares schemas so, Apicurio's compares bytes. Its `normalize=true` is
   * no way out, as records with other orders of fields are the same then.
   */
  async #sameJson({ subject, schema, type, references }: WriterSchema): Promise<RegisteredSchema | null> {
    const json = jsonIn(schema)
    if (json === undefined) return null
    for (const version of (await this.versions(subject)).toReversed()) {
      const found = await this.#versionBody(subject, version)
      if (found === null || (found.schemaType ?? 'AVRO') !== type) continue
      if (isDeepStrictEqual([jsonIn(found.schema), found.references ?? []], [json, references]))
        return await this.#whole(found.id!, found)
    }
    return null
  }

  /** The schema itself is what was sent. */
  async #written(answer: RegistryAnswer, { subject, ...schema }: WriterSchema): Promise<RegisteredSchema> {
    const { id } = checked(answer, `the schema of subject ${subject}`) as { id: number }
    if (!Number.isSafeInteger(id)) throw refused(`the schema of subject ${subject}`, answer)
    return await this.#whole(id, { ...schema, schemaType: schema.type })
  }

  async #version(subject: string, version: number | 'latest'): Promise<RegisteredSchema | null> {
    const body = await this.#versionBody(subject, version)
    return body === null ? null : await this.#whole(body.id!, body)
  }

  async #versionBody(subject: string, version: number | 'latest'): Promise<SchemaBody | null> {
    return await this.#get('version', `/subjects/${encodeURIComponent(subject)}/versions/${version}`)
  }

  async #get(kind: RegistryRequest['kind'], path: string): Promise<SchemaBody | null> {
    const answer = await this.#client.send(kind, 'GET', path)
    return answer.status === 404 ? null : (checked(answer, path) as SchemaBody)
  }

  async #whole(
    id: number,
    { schema, schemaType = 'AVRO', references = [] }: SchemaBody,
  ): Promise<RegisteredSchema> {
    const found: NamedSchema[] = []
    await this.#collect(references, found, new Map(), 0)
    return { id, type: schemaType, schema, references: found }
  }

  /**
   * Adds what is referred to, each after those that it refers to itself.
   *
   * @param known texts, by version and subject: many may refer to one, which is asked for once
   */
  async #collect(
    references: readonly SchemaReference[],
    found: NamedSchema[],
    known: Map<string, string>,
    depth: number,
  ): Promise<void> {
    if (depth > REFERENCES_DEPTH_MAX)
      throw new WeirError('schema-refused', `a schema's references go deeper than ${REFERENCES_DEPTH_MAX}`)
    for (const { name, subject, version } of references) {
      const key = `${version} ${subject}`
      let schema = known.get(key)
      if (schema === undefined) {
        const body = await this.#versionBody(subject, version)
        if (body === null)
          throw new WeirError(
            'schema-missing',
            `a schema refers to version ${version} of ${subject}, which is not there`,
          )
        await this.#collect(body.references ?? [], found, known, depth + 1)
        schema = body.schema
        known.set(key, schema)
      }
      if (!isAmong({ name, schema }, found)) found.push({ name, schema })
    }
  }
}

/** @returns undefined for a text that is no JSON, such as one of Protobuf */
function jsonIn(schema: string): unknown {
  try {
    return JSON.parse(schema, exactIntegers)
  } catch {
    return undefined
  }
}

function bodyOf({ schema, type, references }: WriterSchema): object {
  return {
    schema,
    ...(type !== 'AVRO' && { schemaType: type }),
    ...(references.length > 0 && { references }),
  }
}

function reasonsIn({ is_compatible: isCompatible, messages, reason }: CompatibilityBody): readonly string[] {
  if (isCompatible) return []
  const reasons = messages ?? (typeof reason === 'string' ? [reason] : [])
  return reasons.length > 0 ? reasons.map(oneLine) : ['the registry does not say why']
}

function checked(answer: RegistryAnswer, what: string): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body
  throw refused(what, answer)
}

function refused(what: string, { status, body }: RegistryAnswer): WeirError {
  return new WeirError('schema-refused', `the schema registry refuses ${what} (${status}): ${reasonIn(body)}`)
}
