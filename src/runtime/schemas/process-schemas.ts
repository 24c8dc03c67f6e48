import { messageOf, WeirError } from '../../errors/weir-error.ts'
import type { SchemaUsage } from '../../observe/schema-metrics.ts'
import type { RegistrySettings } from '../../schema-registry/registry-settings.ts'
import type { SchemaRegistry } from '../../schema-registry/schema-registry.ts'
import { needKey, type RegisteredSchema, type SchemaNeed } from '../../serde/schema-source.ts'
import type { PlacedNeed } from '../../topology/bind-serdes.ts'
import type { Logger } from '../logger.ts'
import { retryWhileUnreachable } from '../retry.ts'
import type { SchemaAnswers } from './thread-schemas.ts'

/** Of an id that the registry has not: after so long it is asked again. It may have been a follower that had not heard of it. */
const ABSENT_MS = 10_000
/** Ids that the registry has not, as many as are remembered. Bytes of no schema bring any number of them. */
const ABSENT_MAX = 10_000
/** After so long subjects are asked anew, when a task opens its stores. */
const NEWEST_MS = 5_000
/** Of one subject: the newest are known ahead, older ones when they are met. */
const VERSIONS_MAX = 500

type AutoRegister = RegistrySettings['autoRegister']

export interface ProcessSchemasOptions {
  readonly registry: SchemaRegistry
  readonly autoRegister: AutoRegister
  readonly logger: Logger
}

/**
 * What the process knows of its schema registry: asked once for each schema, for all threads, and kept, since an id never changes its meaning. Main
 * thread.
 */
export class ProcessSchemas {
  readonly #registry: SchemaRegistry
  readonly #autoRegister: AutoRegister
  readonly #logger: Logger
  readonly #known = new Map<number, RegisteredSchema>()
  /** Ids, by version and subject. */
  readonly #versions = new Map<string, number>()
  /** When the registry had none of an id, performance.now(). */
  readonly #absent = new Map<number, number>()
  readonly #asking = new Map<number, Promise<RegisteredSchema | null>>()
  readonly #closing = new AbortController()
  #retries = 0
  #isAway = false
  #newestMs = Number.NEGATIVE_INFINITY

  constructor({ registry, autoRegister, logger }: ProcessSchemasOptions) {
    this.#registry = registry
    this.#autoRegister = autoRegister
    this.#logger = logger
  }

  /**
   * Asks for what a topology needs before it can run.
   *
   * @param timeoutMs how long the registry may be unreachable
   * @throws WeirError schema-registry-unreachable, schema-registry-refused, schema-missing, schema-refused
   */
  async prepare(
    needs: readonly PlacedNeed[],
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<SchemaAnswers> {
    const answers = new Map<string, number>()
    let told = false
    const asked = new Set<string>()
    for (const { place, need } of needs) {
      if (need.kind === 'reader') continue
      const key = needKey(need)
      if (asked.has(key)) continue
      asked.add(key)
      const where = `${place.part}s of ${place.topic}`
      const schemas = await retryWhileUnreachable(() => this.#answer(need, where), {
        ...options,
        jitter: true,
        onRetry: (error) => {
          this.#retries++
          const reason = messageOf(error)
          if (!told) this.#logger.warn({ reason }, 'the schema registry cannot be reached yet; trying again')
          told = true
        },
      })
      for (const schema of schemas) this.#known.set(schema.id, schema)
      if (need.kind !== 'all') answers.set(key, schemas[0]!.id)
    }
    const subjects = needs.flatMap(({ need }) => (need.kind === 'all' ? [need.subject] : []))
    return { schemas: [...this.#known.values()], answers, storeSubjects: [...new Set(subjects)] }
  }

  /**
   * The schema of an id, asked for until the registry answers, or until the process stops: a record that cannot be read yet waits.
   *
   * @returns null when there is none
   */
  async schema(id: number): Promise<RegisteredSchema | null> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    if (this.#isAbsent(id)) return null
    let asking = this.#asking.get(id)
    if (asking === undefined) {
      asking = this.#ask(id).finally(() => this.#asking.delete(id))
      this.#asking.set(id, asking)
    }
    return await asking
  }

  /**
   * What subjects have by now: other processes may write to a store what this one does not know yet. Asked once, and seldom; without an answer the
   * schemas are met one by one.
   */
  async newest(subjects: readonly string[]): Promise<readonly RegisteredSchema[]> {
    if (performance.now() - this.#newestMs < NEWEST_MS) return [...this.#known.values()]
    this.#newestMs = performance.now()
    try {
      for (const subject of subjects) {
        const schemas = await this.#answer({ kind: 'all', subject }, subject)
        for (const schema of schemas) this.#known.set(schema.id, schema)
      }
    } catch (error) {
      this.#logger.debug({ reason: messageOf(error) }, "the schemas of stores' subjects cannot be had now")
    }
    return [...this.#known.values()]
  }

  usage(): SchemaUsage {
    return { known: this.#known.size, awaited: this.#asking.size, retries: this.#retries }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#registry.close()
  }

  async #ask(id: number): Promise<RegisteredSchema | null> {
    const schema = await retryWhileUnreachable(() => this.#schemaNow(id), {
      signal: this.#closing.signal,
      jitter: true,
      onRetry: (error) => {
        this.#retries++
        if (this.#isAway) return
        this.#isAway = true
        const fields = { id, reason: messageOf(error) }
        this.#logger.warn(
          fields,
          'the schema registry cannot be reached; records of schemas that are not known yet wait',
        )
      },
    })
    if (this.#isAway) this.#logger.info({ id }, 'the schema registry answers again')
    this.#isAway = false
    if (schema === null) this.#rememberAbsent(id)
    else this.#known.set(id, schema)
    return schema
  }

  /** What cannot be had for another reason than the registry's silence is not there. */
  async #schemaNow(id: number): Promise<RegisteredSchema | null> {
    try {
      return await this.#registry.schema(id)
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code !== 'schema-missing' && code !== 'schema-refused') throw error
      this.#logger.warn({ id, reason: messageOf(error) }, 'a schema cannot be had')
      return null
    }
  }

  #isAbsent(id: number): boolean {
    const since = this.#absent.get(id)
    return since !== undefined && performance.now() - since < ABSENT_MS
  }

  #rememberAbsent(id: number): void {
    this.#absent.delete(id)
    this.#absent.set(id, performance.now())
    if (this.#absent.size > ABSENT_MAX) this.#absent.delete(this.#absent.keys().next().value!)
  }

  async #answer(
    need: Exclude<SchemaNeed, { kind: 'reader' }>,
    where: string,
  ): Promise<readonly RegisteredSchema[]> {
    const registry = this.#registry
    const { subject } = need
    switch (need.kind) {
      case 'latest': {
        const latest = await registry.latest(subject)
        if (latest !== null) return [latest]
        throw missing(`${where}: subject ${subject} has no schema in ${registry.name}`)
      }
      case 'version': {
        const version = await registry.version(subject, need.version)
        if (version !== null) return [version]
        throw missing(`${where}: subject ${subject} has no version ${need.version} in ${registry.name}`)
      }
      case 'all': {
        const versions = (await registry.versions(subject)).slice(-VERSIONS_MAX)
        const schemas = await Promise.all(versions.map((version) => this.#version(subject, version)))
        return schemas.filter((schema) => schema !== null)
      }
      case 'writer':
        return [await this.#writer(need, where)]
    }
  }

  /** A version's schema never changes. */
  async #version(subject: string, version: number): Promise<RegisteredSchema | null> {
    const key = `${version} ${subject}`
    const known = this.#versions.get(key)
    const schema =
      known === undefined ? await this.#registry.version(subject, version) : this.#known.get(known)!
    if (schema !== null && known === undefined) {
      this.#known.set(schema.id, schema)
      this.#versions.set(key, schema.id)
    }
    return schema
  }

  async #writer(need: SchemaNeed & { kind: 'writer' }, where: string): Promise<RegisteredSchema> {
    const { kind: _kind, ...schema } = need
    const registers =
      this.#autoRegister === 'true' || (this.#autoRegister === 'internal' && schema.isInternal)
    try {
      const found = registers ? await this.#registry.register(schema) : await this.#registry.lookUp(schema)
      if (found !== null) return found
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'schema-refused') throw error
      throw new WeirError('schema-refused', `${where}: ${messageOf(error)}`, { cause: error })
    }
    const hint = schema.isInternal
      ? 'WEIR_SCHEMA_AUTO_REGISTER=internal or true'
      : 'WEIR_SCHEMA_AUTO_REGISTER=true'
    throw missing(
      `${where}: subject ${schema.subject} does not have the schema that is written, in ${this.#registry.name}; register it, or set ${hint}`,
    )
  }
}

function missing(what: string): WeirError {
  return new WeirError('schema-missing', what)
}
