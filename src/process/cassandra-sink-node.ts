import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import { textOf } from '../cassandra/column-types.ts'
import type { RowSource, TaskRows } from '../cassandra/row-write.ts'
import type { WriteClock } from '../cassandra/write-clock.ts'
import type { CassandraSinkDefinition } from '../topology/definition.ts'
import { CountedSink, type CountedSinkEnvironment } from './counted-sink.ts'
import type { ErrorGuard } from './error-guard.ts'
import type { Node } from './node.ts'
import { copyRecord, type StreamRecord } from './record.ts'

/** What a Cassandra sink needs of its task. */
export interface CassandraSinkEnvironment extends CountedSinkEnvironment {
  readonly taskId: string
  /** Counts the record at work as dropped. */
  readonly recordDropped: (node: string, reason: string) => void
  /** Default: every error ends the thread. */
  readonly errors?: ErrorGuard | null
}

/** Makes each record a row, with its timestamp, and hands it over; what cannot be made one is kept for the production handler. */
export class CassandraSinkNode extends CountedSink {
  readonly #table: CassandraTable
  readonly #partitionColumns: number
  readonly #rows: TaskRows
  readonly #writeClock: WriteClock
  readonly #environment: CassandraSinkEnvironment
  readonly #asks: NonNullable<ErrorGuard['contextOf']> | null
  /** Where nobody is asked: of every row. */
  readonly #source: RowSource

  constructor(
    { name, table }: CassandraSinkDefinition,
    rows: TaskRows,
    writeClock: WriteClock,
    environment: CassandraSinkEnvironment,
  ) {
    super(name, environment)
    this.#table = table
    this.#partitionColumns = table.schema.partitionKey.length
    this.#rows = rows
    this.#writeClock = writeClock
    this.#environment = environment
    this.#asks = environment.errors?.contextOf ?? null
    this.#source = { taskId: environment.taskId, node: name, table: table.name, asked: null }
  }

  protected override write(record: StreamRecord<unknown, unknown>): void {
    const table = this.#table
    let key: unknown[] | null
    let values: unknown[] | null
    let ttlSeconds: number
    try {
      key = table.keyOf(record)
      values = key === null ? null : table.valuesOf(record)
      ttlSeconds = values === null ? 0 : table.ttlOf(record)
    } catch (error) {
      if (this.#asks === null) throw error
      const refused = error instanceof Error ? error : new Error(String(error))
      this.#rows.refuse({ source: this.#sourceOf(record), error: refused })
      return
    }
    if (key === null) {
      this.#environment.recordDropped(this.name, 'no key')
      return
    }
    const partition = textsOf(key, 0, this.#partitionColumns)
    const rest = textsOf(key, this.#partitionColumns, key.length)
    const timestampUs = this.#writeClock.write(`${table.name}\0${partition}\0${rest}`)
    const source = this.#asks === null ? this.#source : this.#sourceOf(record)
    this.#rows.add({ table, partition, goesWithOthers: false, key, values, ttlSeconds, timestampUs, source })
  }

  #sourceOf(record: StreamRecord<unknown, unknown>): RowSource {
    const context = this.#asks!(this.name, record.headers)
    // The record may be asked about when its batch is gone.
    return { ...this.#source, asked: { context, record: copyRecord(record) } }
  }
}

/** Tells the values of some columns apart from others of the same columns. */
function textsOf(values: readonly unknown[], from: number, to: number): string {
  if (to - from === 1) return textOf(values[from])
  let text = ''
  for (let index = from; index < to; index++) {
    const one = textOf(values[index])
    text += `${one.length}:${one}`
  }
  return text
}

/** Above all else below a source: the task's clock of writes sees each record, whether or not it becomes a row. */
export class WriteClockNode implements Node {
  readonly name: string
  readonly #writeClock: WriteClock

  constructor(name: string, writeClock: WriteClock) {
    this.name = name
    this.#writeClock = writeClock
  }

  process(record: StreamRecord<unknown, unknown>): void {
    this.#writeClock.record(record.timestamp)
  }
}
