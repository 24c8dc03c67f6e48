import type { RecordBatch } from '../consume/record-batch.ts'
import { rawRecord } from '../consume/source-record.ts'
import { DEAD_LETTER_HEADERS } from '../process/error-handlers.ts'
import { type Header, Headers } from '../process/headers.ts'

/** A record of a dead-letter topic. */
export interface DeadLetterRecord {
  readonly partition: number
  readonly offset: number
  /** ms since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Without what was added for the error. */
  readonly headers: Headers
  /** null: not there, the record is none of a default handler's. */
  readonly exception: string | null
  readonly message: string | null
  readonly stacktrace: string | null
  /** Where it came from; for an output that a broker refused, where it should have gone. null: not told, it came from a punctuator. */
  readonly sourceTopic: string | null
  readonly sourcePartition: number | null
  /** null for an output. */
  readonly sourceOffset: number | null
}

const ADDED: ReadonlySet<string> = new Set(Object.values(DEAD_LETTER_HEADERS))

export function deadLetterRecord(batch: RecordBatch, index: number, partition: number): DeadLetterRecord {
  const { key, value, headers } = rawRecord(batch, index)
  const text = (name: string): string | null => headers.last(name)?.value?.toString() ?? null
  return {
    partition,
    offset: batch.offset[index]!,
    timestamp: batch.timestamp[index]!,
    key,
    value,
    headers: new Headers([...headers].filter((header) => !isAdded(header, headers))),
    exception: text(DEAD_LETTER_HEADERS.exception),
    message: text(DEAD_LETTER_HEADERS.message),
    stacktrace: text(DEAD_LETTER_HEADERS.stacktrace),
    sourceTopic: text(DEAD_LETTER_HEADERS.topic),
    sourcePartition: naturalOrNull(text(DEAD_LETTER_HEADERS.partition)),
    sourceOffset: naturalOrNull(text(DEAD_LETTER_HEADERS.offset)),
  }
}

/** Of several with such a name the last is the one that was added: a dead letter that was replayed and failed again had the others when it came. */
function isAdded(header: Header, headers: Headers): boolean {
  return ADDED.has(header.key) && headers.last(header.key) === header
}

function naturalOrNull(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}
