import type { Longs } from '../avro/avro-schema.ts'
import { RegisteredSerde } from '../registered/registered-serde.ts'
import type { SchemaCodec, ValueReader } from '../registered/schema-format.ts'
import {
  checkedSubjectOptions,
  checkOptionNames,
  isSubject,
  type SchemaSubject,
  type SubjectOptions,
} from '../registered/subject-options.ts'
import type { NamedSchema } from '../schema-source.ts'
import type { Serde } from '../serde.ts'
import { readMessageIndexes, writeMessageIndexes } from './message-index.ts'
import { MessageValues } from './message-values.ts'
import { type FileMessage, messagesOf, protobufjs, typeOf } from './proto-file.ts'

export interface ProtobufOptions extends SubjectOptions {
  /** The full name of the message: `shop.Order`. Default: the first one of the file. */
  readonly message?: string
  /** What integers of 64 bits are: numbers, which beyond 2^53 are an error, or bigints. Default: number. */
  readonly longs?: Longs
}

const SERDE = 'serdes.protobuf'
const OPTIONS = ['subjectStrategy', 'references', 'message', 'longs']

/**
 * Protocol Buffers in Confluent's wire format (0x00 schemaId(4) messageIndexes message), with the .proto file in the registry. docs/schemas.md tells what
 * each type is in JavaScript; `T` is what the caller says it is.
 *
 * @param schema the text of the .proto file, or the subject whose newest one is taken when the process starts
 * @throws TypeError for what is no schema, and for an unknown option
 */
export function protobufSerde<T = unknown>(
  schema: string | SchemaSubject,
  options: ProtobufOptions = {},
): Serde<T> {
  checkOptionNames(SERDE, options, OPTIONS)
  const { message, longs = 'number' } = options
  if (longs !== 'number' && longs !== 'bigint')
    throw new TypeError(`${SERDE}: longs is ${String(longs)}; allowed are number and bigint`)
  if (message !== undefined && (typeof message !== 'string' || message === ''))
    throw new TypeError(`${SERDE}: message must be a name`)
  const format = {
    serde: SERDE,
    type: 'PROTOBUF',
    variant: `${longs} ${message ?? ''}`,
    recordName: (text: string) => message ?? messagesOf(text)[0]?.name,
    compile: (text: string, references: readonly NamedSchema[]) => codecOf(text, references, message, longs),
  }
  const common = { format, ...checkedSubjectOptions(SERDE, options) }
  if (isSubject(SERDE, schema))
    return new RegisteredSerde<T>({ ...common, subject: schema.subject, references: [] })
  if (typeof schema !== 'string')
    throw new TypeError(
      `${SERDE}: the text of a .proto file or { subject } is expected, not ${typeof schema}`,
    )
  return new RegisteredSerde<T>({ ...common, schema })
}

function codecOf(
  text: string,
  references: readonly NamedSchema[],
  wanted: string | undefined,
  longs: Longs,
): SchemaCodec {
  const messages = messagesOf(text)
  const message = wanted === undefined ? messages[0] : messages.find(({ name }) => name === wanted)
  if (message === undefined) {
    const all = messages.map(({ name }) => name).join(', ') || 'none'
    const name = wanted === undefined ? '' : ` ${wanted}`
    throw new Error(`the schema has no message${name}; its messages: ${all}`)
  }
  const type = typeOf(text, references, message.name)
  const values = new MessageValues(type, longs)
  const { Reader } = protobufjs()
  const decode: ValueReader = (buffer, start, end) => {
    const reader = Reader.create(buffer)
    reader.pos = start
    reader.len = end
    // Fields of newer schemas: they would keep the batch's bytes.
    ;(reader as { discardUnknown?: boolean }).discardUnknown = true
    return values.read(type.decode(reader))
  }
  return {
    name: `protobuf ${message.name}`,
    write(value, writer) {
      const bytes = type.encode(values.write(value)).finish()
      writeMessageIndexes(message.indexes, writer)
      writer.writeBytes(bytes)
    },
    read: readerOf(messages, message.name, decode),
    readerOf: (writer) => readerOf(messagesOf(writer.schema), message.name, decode),
  }
}

/** @param messages those of the writer's file: a message may stand elsewhere in the reader's */
function readerOf(messages: readonly FileMessage[], name: string, decode: ValueReader): ValueReader {
  const names = new Map(messages.map((message) => [message.indexes.join(), message.name]))
  const isFirst = names.get('0') === name
  return (buffer, start, end) => {
    if (isFirst && start < end && buffer[start] === 0) return decode(buffer, start + 1, end)
    const { indexes, start: messageStart } = readMessageIndexes(buffer, start, end)
    const found = names.get(indexes.join())
    if (found !== name)
      throw new TypeError(
        found === undefined
          ? `its schema has no message of index ${indexes.join('.')}`
          : `it is a message ${found}, not ${name}`,
      )
    return decode(buffer, messageStart, end)
  }
}
