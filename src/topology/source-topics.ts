import { checkName, checkNames, listOf } from './options.ts'
import { checkPattern, wholeMatcher } from './topic-patterns.ts'
import { TopologyError } from './topology-error.ts'

/** What a source reads: topics by name, or all that match a pattern. */
export interface SourceReads {
  /** None where there is a pattern. */
  readonly topics: readonly string[]
  readonly pattern?: RegExp
}

/** Which source reads which topic: no topic is read by two. */
export class SourceTopics {
  /** By topic. */
  readonly #sources = new Map<string, string>()
  /** Of sources that have one. */
  readonly #patterns = new Map<string, RegExp>()

  get isEmpty(): boolean {
    return this.#sources.size === 0 && this.#patterns.size === 0
  }

  get hasPatterns(): boolean {
    return this.#patterns.size > 0
  }

  /** Checks what a source is to read. @param given topics, one topic or a pattern */
  check(where: string, given: unknown): SourceReads {
    if (!(given instanceof RegExp)) return { topics: this.#checkTopics(where, given) }
    this.#checkPattern(where, given)
    return { topics: [], pattern: given }
  }

  /** REQUIRES what `check` checks. */
  add(source: string, { topics, pattern }: SourceReads): void {
    for (const topic of topics) this.#sources.set(topic, source)
    if (pattern !== undefined) this.#patterns.set(source, pattern)
  }

  #checkTopics(where: string, given: unknown): readonly string[] {
    const topics = listOf(given)
    checkNames(where, 'topics', topics)
    if (topics.length === 0) throw new TopologyError(`${where}: topics is empty; allowed is at least one`)
    for (const [index, topic] of topics.entries()) {
      checkName(where, 'a topic', topic)
      const reader = this.#sources.get(topic)
      if (reader !== undefined)
        throw new TopologyError(`${where}: topic ${topic} is read by source ${reader} already`)
      if (topics.indexOf(topic) < index) throw new TopologyError(`${where}: topic ${topic} is named twice`)
      for (const [source, pattern] of this.#patterns) {
        if (wholeMatcher(pattern)(topic)) {
          throw new TopologyError(
            `${where}: topic ${topic} matches the pattern ${pattern.source} of source ${source}; a topic is read by one source`,
          )
        }
      }
    }
    return topics
  }

  #checkPattern(where: string, pattern: RegExp): void {
    checkPattern(where, pattern)
    const matches = wholeMatcher(pattern)
    for (const [topic, source] of this.#sources) {
      if (matches(topic)) {
        throw new TopologyError(
          `${where}: the pattern ${pattern.source} matches topic ${topic}, which source ${source} reads already`,
        )
      }
    }
  }
}
