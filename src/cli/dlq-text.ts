/** Dead letters for people, and as JSON. */
import type { TopologyDefinition } from '../topology/definition.ts'
import { decodeHeaders, decodePart, serdesOf } from './dlq-decode.ts'
import type { DeadLetterRecord } from './dlq-record.ts'
import type { ReplayPlan } from './dlq-replay.ts'
import { textTable } from './text-table.ts'

const MESSAGE_CHARACTERS = 60

/** Whose serdes read the records. */
export interface Decoding {
  readonly topology: TopologyDefinition
  readonly applicationId: string
}

/** A line for each. */
export function listOf(topic: string, letters: readonly DeadLetterRecord[], isMore: boolean): string {
  if (letters.length === 0) return `${topic}: no such record`
  const rows = letters.map((letter) => [
    `${letter.partition}:${letter.offset}`,
    timeOf(letter),
    sourceOf(letter),
    letter.exception ?? '-',
    shortened(letter.message ?? '-'),
  ])
  const table = textTable([['record', 'timestamp', 'source', 'exception', 'message'], ...rows])
  return isMore ? `${table}\nThere are more; --limit shows them.` : table
}

export function textOf(letter: DeadLetterRecord, decoding: Decoding | null): string {
  const { key, value } = partsOf(letter, decoding)
  const lines: [string, string][] = [
    ['record', `${letter.partition}:${letter.offset}`],
    ['timestamp', timeOf(letter)],
    ['source', sourceOf(letter)],
    ['exception', letter.exception ?? '-'],
    ['message', letter.message ?? '-'],
    ...decodeHeaders(letter.headers).map((header): [string, string] => [
      'header',
      `${header.key}: ${header.value ?? 'null'}`,
    ]),
    ['key', partText(key)],
    ['value', partText(value)],
  ]
  const stack = letter.stacktrace === null ? '' : `\n${indented(letter.stacktrace)}`
  return `${textTable(lines)}${stack}`
}

export function jsonOf(letter: DeadLetterRecord, decoding: Decoding | null): unknown {
  const { key, value } = partsOf(letter, decoding)
  const { key: keyBytes, value: valueBytes, headers, ...rest } = letter
  return {
    ...rest,
    headers: decodeHeaders(headers),
    key: key === null ? null : { ...key, base64: keyBytes!.toString('base64') },
    value: value === null ? null : { ...value, base64: valueBytes!.toString('base64') },
  }
}

/** What a replay does, for people. */
export function describeReplay({ deadLetterTopic, targets, leftAlone }: ReplayPlan): string {
  const sections: string[] = []
  if (targets.length === 0) sections.push(`${deadLetterTopic}: no record goes back`)
  else {
    const rows = targets.map(({ topic, partition, records }) => [topic, String(partition), String(records)])
    sections.push(
      `Records of ${deadLetterTopic} that are written to where they came from\n${textTable([['topic', 'partition', 'records'], ...rows])}`,
    )
  }
  if (leftAlone.length > 0) {
    const lines = leftAlone.map(({ reason, records }) => `  ${records}: ${reason}`)
    sections.push(['Records that stay where they are', ...lines].join('\n'))
  }
  return sections.join('\n\n')
}

type Parts = { readonly [K in 'key' | 'value']: ReturnType<typeof decodePart> }

function partsOf({ sourceTopic, key, value }: DeadLetterRecord, decoding: Decoding | null): Parts {
  const serdes =
    decoding === null || sourceTopic === null
      ? null
      : serdesOf(decoding.topology, decoding.applicationId, sourceTopic)
  return { key: decodePart(key, serdes?.key ?? null), value: decodePart(value, serdes?.value ?? null) }
}

function partText(part: Parts['key']): string {
  if (part === null) return 'null'
  const problem = part.problem === null ? '' : `; ${part.problem}`
  return `${part.text} (${part.as}${problem})`
}

function sourceOf({ sourceTopic, sourcePartition, sourceOffset }: DeadLetterRecord): string {
  if (sourceTopic === null) return '-'
  return `${sourceTopic}:${sourcePartition ?? '?'}${sourceOffset === null ? ' (output)' : `:${sourceOffset}`}`
}

function timeOf({ timestamp }: DeadLetterRecord): string {
  const time = new Date(timestamp)
  return timestamp < 0 || Number.isNaN(time.getTime()) ? String(timestamp) : time.toISOString()
}

function shortened(message: string): string {
  const line = message.replace(/\s+/g, ' ')
  return line.length <= MESSAGE_CHARACTERS ? line : `${line.slice(0, MESSAGE_CHARACTERS - 1)}…`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
