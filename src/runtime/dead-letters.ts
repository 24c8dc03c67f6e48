import { DEAD_LETTER_HEADERS, type DeadLetter, type ErrorHandlerContext } from '../process/error-handlers.ts'
import { Headers } from '../process/headers.ts'
import type { SinkTopic } from '../process/node.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import { bytesSerde } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'

const bytes = bytesSerde as Serde<unknown>

/** What a dead letter that is too large is left with of its error's message, in characters. */
const SHORT_MESSAGE_LENGTH = 200

export interface DeadLettersOptions {
  readonly output: OutputBatch
  readonly policy: { readonly deadLetterTopics: readonly string[] }
  /** null: nothing is produced. */
  readonly deadLetterTopic: ((name: string) => SinkTopic) | null
  readonly recordBytesMax: number
  readonly counters: { deadLetters: number }
  /** There is something to commit. */
  readonly changed: () => void
}

/** Puts dead letters among a thread's outputs: they are part of what the next commit delivers. */
export class DeadLetters {
  readonly #options: DeadLettersOptions

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /**
   * @throws TypeError for what is no dead letter; RangeError for one that is too large: a record that is to be kept there must not be
   * dropped instead
   */
  add(letter: DeadLetter, { timestamp }: Pick<ErrorHandlerContext, 'timestamp'>): void {
    const { output, policy, deadLetterTopic, counters, recordBytesMax, changed } = this.#options
    if (deadLetterTopic === null) return
    check(letter, policy.deadLetterTopics)
    const { topic: name, key, value } = letter
    const room = recordBytesMax - (key?.length ?? 0) - (value?.length ?? 0)
    let headers = letter.headers ?? Headers.empty
    if (headers.wireBytes > room) headers = shortened(headers)
    if (headers.wireBytes > room) {
      const size = recordBytesMax - room + headers.wireBytes
      throw new RangeError(
        `a dead letter for ${name} has ${size} bytes and the producer takes ${recordBytesMax}: raise WEIR_PRODUCER_MESSAGE_MAX_BYTES, and the topic's max.message.bytes`,
      )
    }
    const topic = deadLetterTopic(name)
    // -1 is "now" to the producer: a record without a timestamp gets that, too.
    const time = Math.max(-1, letter.timestamp ?? timestamp)
    topic.produced.bytes += output.add(topic.id, -1, bytes, key, bytes, value, time, headers)
    topic.produced.records++
    counters.deadLetters++
    changed()
  }
}

function check(letter: unknown, topics: readonly string[]): asserts letter is DeadLetter {
  const { topic, key, value, headers, timestamp } = (letter ?? {}) as Partial<
    Record<keyof DeadLetter, unknown>
  >
  if (!topics.includes(topic as string)) {
    const allowed = topics.join(', ') || 'none; name topics in deadLetterTopics'
    throw new TypeError(`a dead letter goes to topic ${String(topic)}; allowed: ${allowed}`)
  }
  for (const [part, given] of Object.entries({ key, value })) {
    if (given !== null && !(given instanceof Uint8Array))
      throw new TypeError(
        `a dead letter's ${part} is ${typeof given}; allowed: a Buffer, a Uint8Array or null`,
      )
  }
  if (headers !== undefined && !(headers instanceof Headers))
    throw new TypeError("a dead letter's headers are no Headers")
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp))
    throw new TypeError(`a dead letter's timestamp is ${String(timestamp)}; allowed: whole ms`)
}

/** Without the stack, and with the beginning of the message. */
function shortened(headers: Headers): Headers {
  const { stacktrace, message } = DEAD_LETTER_HEADERS
  return new Headers(
    [...headers].map((header) => {
      if (header.key === stacktrace) return { key: stacktrace, value: Buffer.alloc(0) }
      if (header.key !== message || header.value === null) return header
      return { key: message, value: Buffer.from(header.value.toString().slice(0, SHORT_MESSAGE_LENGTH)) }
    }),
  )
}
