/** What every serde with a schema registry is told. */
import type { SchemaReference } from '../schema-source.ts'

/** Under which subject a schema is registered. Confluent's TopicNameStrategy, RecordNameStrategy and TopicRecordNameStrategy. */
export type SubjectStrategy = 'topic' | 'record' | 'topic-record'

/** The newest schema of a subject when the process starts. */
export interface SchemaSubject {
  readonly subject: string
}

export interface SubjectOptions {
  /**
   * Under which subject a schema that is written is looked up or registered: `<topic>-key` or `<topic>-value`, the record's full name, or
   * `<topic>-<full name>`. Default: topic.
   */
  readonly subjectStrategy?: SubjectStrategy
  /** Schemas of the registry whose names the schema uses, each after those that it uses itself. Default: none. */
  readonly references?: readonly SchemaReference[]
}

const STRATEGIES: readonly unknown[] = ['topic', 'record', 'topic-record'] satisfies SubjectStrategy[]

/** @param serde for messages. @throws TypeError */
export function checkedSubjectOptions(serde: string, options: SubjectOptions): Required<SubjectOptions> {
  const { subjectStrategy = 'topic', references = [] } = options
  if (!STRATEGIES.includes(subjectStrategy))
    throw new TypeError(
      `${serde}: subjectStrategy is ${String(subjectStrategy)}; allowed are ${STRATEGIES.join(', ')}`,
    )
  if (!Array.isArray(references)) throw new TypeError(`${serde}: references must be a list`)
  for (const { name, subject, version } of references) {
    if (
      typeof name !== 'string' ||
      typeof subject !== 'string' ||
      !Number.isSafeInteger(version) ||
      version < 1
    )
      throw new TypeError(`${serde}: a reference is { name, subject, version }, the version a number from 1`)
  }
  return { subjectStrategy, references }
}

/** @throws TypeError for options that there are none of */
export function checkOptionNames(serde: string, options: object, allowed: readonly string[]): void {
  const unknown = Object.keys(options).find((option) => !allowed.includes(option))
  if (unknown !== undefined)
    throw new TypeError(`${serde}: unknown option ${unknown}; allowed: ${allowed.join(', ')}`)
}

/** Whether a subject is given in the place of a schema. @throws TypeError for one without a name */
export function isSubject(serde: string, schema: unknown): schema is SchemaSubject {
  if (typeof schema !== 'object' || schema === null || !('subject' in schema) || 'type' in schema)
    return false
  if (typeof schema.subject !== 'string' || schema.subject === '')
    throw new TypeError(`${serde}: subject must be text`)
  return true
}
