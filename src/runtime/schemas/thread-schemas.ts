import { errorCodeOf } from '../../errors/decision.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import {
  type AnsweredNeed,
  needKey,
  type RegisteredSchema,
  type SchemaSource,
} from '../../serde/schema-source.ts'
import type { SchemaRequests } from '../protocol.ts'
import { readReply, SchemaReply } from './schema-reply.ts'

/** Of an id that the registry has not: after so long the main thread is asked again, by whoever can wait. */
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
  /** Ids that the registry had not, and when it was asked last. */
  readonly #absent = new Map<number, number>()
  readonly #fetching = new Map<number, Promise<void>>()
  readonly #storeSubjects: readonly string[]
  readonly #requests: SchemaThreadRequests
  readonly #blockMsMax: number
  readonly #nowMs: () => number
  /** For the next time that the thread is blocked. null: the last answer may still come. */
  #reply: SharedArrayBuffer | null = null

  /** @param blockMsMax how long the thread may be blocked for one schema. @param nowMs default: performance.now */
  constructor(
    { schemas, answers, storeSubjects }: SchemaAnswers,
    requests: SchemaThreadRequests,
    blockMsMax: number,
    nowMs = (): number => performance.now(),
  ) {
    for (const schema of schemas) this.#known.set(schema.id, schema)
    this.#answers = answers
    this.#storeSubjects = storeSubjects
    this.#requests = requests
    this.#blockMsMax = blockMsMax
    this.#nowMs = nowMs
  }

  schema(id: number): RegisteredSchema | null | undefined {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    if (!this.#absent.has(id)) return undefined
    // Who reads it cannot wait, and may have waited for this very answer: the next one knows better.
    if (!this.#isAbsent(id)) void this.#fetch(id)
    return null
  }

  awaits(id: number): Promise<void> | null {
    return this.#known.has(id) || this.#isAbsent(id) ? null : this.#fetch(id)
  }

  #isAbsent(id: number): boolean {
    const since = this.#absent.get(id)
    return since !== undefined && this.#nowMs() - since < ABSENT_MS
  }

  answer(need: AnsweredNeed): RegisteredSchema {
    const id = this.#answers.get(needKey(need))
    if (id === undefined) throw new Error(`${needKey(need)} was not asked for at the start`)
    return this.#known.get(id)!
  }

  #fetch(id: number): Promise<void> {
    let fetching = this.#fetching.get(id)
    if (fetching === undefined) {
      fetching = this.#requests
        .schema({ id, reply: null })
        .then(
          (schema) => this.#learn(id, schema),
          // The main thread is gone, and with it this thread; or it could not find out, and says why when the schema is read.
          () => {},
        )
        .finally(() => this.#fetching.delete(id))
      this.#fetching.set(id, fetching)
    }
    return fetching
  }

  fetchNow(id: number): RegisteredSchema | null {
    const reply = this.#reply ?? SchemaReply.make()
    this.#reply = null
    // It is answered in both ways; the thread sees the other one when it goes on.
    this.#requests.schema({ id, reply }).catch(() => {})
    const answer = readReply(reply, this.#blockMsMax)
    if (answer === undefined)
      throw new WeirError(
        'schema-registry-unreachable',
        `schema ${id} is not known yet, and the schema registry has not answered for ${this.#blockMsMax} ms`,
      )
    this.#reply = reply
    if ('failure' in answer) throw new WeirError(answer.failure.code, answer.failure.message)
    this.#learn(id, answer.schema)
    return answer.schema
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
    this.#absent.delete(id)
    if (schema !== null) {
      this.#known.set(id, schema)
      return
    }
    this.#absent.set(id, this.#nowMs())
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
    if (reply !== null) SchemaReply.write(reply, { schema: answer })
    return answer
  } catch (error) {
    if (reply !== null) {
      const isRefused = errorCodeOf(error) === 'schema-registry-refused'
      const code = isRefused ? 'schema-registry-refused' : 'schema-registry-unreachable'
      SchemaReply.write(reply, { failure: { code, message: messageOf(error) } })
    }
    throw error
  }
}
