import { messageOf, WeirError } from '../../errors/weir-error.ts'
import {
  type AnsweredNeed,
  needKey,
  type RegisteredSchema,
  type SchemaSource,
} from '../../serde/schema-source.ts'
import type { SchemaRequests } from '../protocol.ts'
import { readReply, SchemaReply } from './schema-reply.ts'

/** Of an id that the registry has not: after so long the main thread is asked again. */
const ABSENT_MS = 10_000
const ABSENT_MAX = 10_000

/** What was known when the process started. Can be cloned. */
export interface SchemaAnswers {
  readonly schemas: readonly RegisteredSchema[]
  /** The ids that needs were answered with, by `needKey`. */
  readonly answers: ReadonlyMap<string, number>
  /** Those of stores: what they have may be in a store. */
  readonly storeSubjects: readonly string[]
}

/** What a thread asks the main thread: see SchemaRequests. */
export type SchemaThreadRequests = {
  readonly [K in keyof SchemaRequests]: (
    request: SchemaRequests[K]['request'],
  ) => Promise<SchemaRequests[K]['response']>
}

/** The schemas as one stream thread, or the global thread, knows them: what was known at the start, and what it asked the main thread for since. */
export class ThreadSchemas implements SchemaSource {
  readonly #known = new Map<number, RegisteredSchema>()
  readonly #answers: ReadonlyMap<string, number>
  readonly #absent = new Map<number, number>()
  readonly #fetching = new Map<number, Promise<void>>()
  readonly #storeSubjects: readonly string[]
  readonly #requests: SchemaThreadRequests
  readonly #blockMsMax: number

  /** @param blockMsMax how long the thread may be blocked for one schema */
  constructor(
    { schemas, answers, storeSubjects }: SchemaAnswers,
    requests: SchemaThreadRequests,
    blockMsMax: number,
  ) {
    for (const schema of schemas) this.#known.set(schema.id, schema)
    this.#answers = answers
    this.#storeSubjects = storeSubjects
    this.#requests = requests
    this.#blockMsMax = blockMsMax
  }

  schema(id: number): RegisteredSchema | null | undefined {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const absentSince = this.#absent.get(id)
    return absentSince !== undefined && performance.now() - absentSince < ABSENT_MS ? null : undefined
  }

  answer(need: AnsweredNeed): RegisteredSchema {
    const id = this.#answers.get(needKey(need))
    if (id === undefined) throw new Error(`${needKey(need)} was not asked for at the start`)
    return this.#known.get(id)!
  }

  fetch(id: number): Promise<void> {
    let fetching = this.#fetching.get(id)
    if (fetching === undefined) {
      fetching = this.#requests
        .schema({ id, reply: null })
        .then(
          (schema) => this.#learn(id, schema),
          // The main thread is gone, and with it this thread.
          () => {},
        )
        .finally(() => this.#fetching.delete(id))
      this.#fetching.set(id, fetching)
    }
    return fetching
  }

  fetchNow(id: number): RegisteredSchema | null {
    const reply = SchemaReply.make()
    // It is answered in both ways; the thread sees the other one when it goes on.
    this.#requests.schema({ id, reply }).catch(() => {})
    const answer = readReply(reply, this.#blockMsMax)
    if (answer === undefined)
      throw new WeirError(
        'schema-registry-unreachable',
        `schema ${id} is not known yet, and the schema registry has not answered for ${this.#blockMsMax} ms`,
      )
    if (typeof answer === 'string') throw new WeirError('schema-registry-unreachable', answer)
    this.#learn(id, answer)
    return answer
  }

  /** A task is opened: what others have written to its stores is to be known by the time that it reads them. */
  refresh(): void {
    if (this.#storeSubjects.length === 0) return
    const learn = (schemas: readonly RegisteredSchema[]): void => {
      for (const schema of schemas) this.#known.set(schema.id, schema)
    }
    this.#requests.schemas({ subjects: this.#storeSubjects }).then(learn, () => {})
  }

  #learn(id: number, schema: RegisteredSchema | null): void {
    if (schema !== null) {
      this.#known.set(id, schema)
      return
    }
    this.#absent.delete(id)
    this.#absent.set(id, performance.now())
    if (this.#absent.size > ABSENT_MAX) this.#absent.delete(this.#absent.keys().next().value!)
  }
}

/** What the main thread does with a request for one schema. */
export async function answerThread(
  { id, reply }: SchemaRequests['schema']['request'],
  schema: (id: number) => Promise<RegisteredSchema | null>,
): Promise<RegisteredSchema | null> {
  try {
    const answer = await schema(id)
    if (reply !== null) SchemaReply.write(reply, answer)
    return answer
  } catch (error) {
    if (reply !== null) SchemaReply.write(reply, messageOf(error))
    throw error
  }
}
