import type { StreamRecord } from '../record.ts'
import type { RecordAction } from './peek.ts'

/** @returns what stands for a record after its label */
export type RecordFormatter<K, V> = (record: StreamRecord<K, V>) => string

export interface PrintSettings<K, V> {
  readonly label: string
  readonly format: RecordFormatter<K, V>
  /** Gets each line without its end. */
  readonly write: (line: string) => void
}

/** Writes `[label]: text` for each record. Kafka Streams' PrintForeachAction. */
export function printer<K, V>({ label, format, write }: PrintSettings<K, V>): RecordAction<K, V> {
  return (record) => write(`[${label}]: ${format(record)}`)
}

/** `key, value`, objects as JSON. */
export function keyAndValue({ key, value }: StreamRecord<unknown, unknown>): string {
  return `${textOf(key)}, ${textOf(value)}`
}

function textOf(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part)
  if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
  return JSON.stringify(part, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
