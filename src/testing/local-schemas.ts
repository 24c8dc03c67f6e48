import type { LocalSchemaRegistry } from '../schema-registry/local-schema-registry.ts'
import {
  type AnsweredNeed,
  needKey,
  type RegisteredSchema,
  type SchemaSource,
} from '../serde/schema-source.ts'

/** The schemas of a registry in this thread: always known, and what is written is registered when it is asked for. */
export class LocalSchemas implements SchemaSource {
  readonly #registry: LocalSchemaRegistry

  constructor(registry: LocalSchemaRegistry) {
    this.#registry = registry
  }

  schema(id: number): RegisteredSchema | null {
    return this.#registry.schemaNow(id)
  }

  answer(need: AnsweredNeed): RegisteredSchema {
    const schema = this.#find(need)
    if (schema === null)
      throw new RangeError(`the local schema registry has no ${needKey(need)}: add it before`)
    return schema
  }

  #find(need: AnsweredNeed): RegisteredSchema | null {
    switch (need.kind) {
      case 'writer':
        return this.#registry.registerNow(need)
      case 'latest':
        return this.#registry.latestNow(need.subject)
      case 'version':
        return this.#registry.versionNow(need.subject, need.version)
    }
  }

  awaits(): null {
    return null
  }

  fetchNow(id: number): RegisteredSchema | null {
    return this.#registry.schemaNow(id)
  }
}
