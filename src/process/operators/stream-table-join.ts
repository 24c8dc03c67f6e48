import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { RowReader, TableView } from './table-view.ts'

/** @param right null in a left join when the table has no row */
export type ValueJoiner<K, VL, VR, R> = (left: VL, right: VR, key: K) => R

class StreamTableJoin<K, VL, VR, R> implements Processor<K, VL | null, K, R> {
  readonly #view: TableView<K, VR>
  readonly #joiner: ValueJoiner<K, VL, VR | null, R>
  readonly #leftJoin: boolean
  readonly #isVersioned: boolean
  #rows!: RowReader<K, VR>

  constructor(view: TableView<K, VR>, joiner: ValueJoiner<K, VL, VR | null, R>, leftJoin: boolean) {
    this.#view = view
    this.#joiner = joiner
    this.#leftJoin = leftJoin
    this.#isVersioned = view.historyRetentionMs !== undefined
  }

  init(context: OperatorContext<K, R>): void {
    this.#rows = this.#view.open(context)
  }

  process(record: StreamRecord<K, VL | null>, context: OperatorContext<K, R>): void {
    const { key, value: left } = record
    if (left === null || (key === null && !this.#leftJoin)) {
      context.recordDropped('null key or value')
      return
    }
    const { timestamp } = record
    const right = key === null ? null : this.#rows.get(key, this.#isVersioned ? timestamp : undefined)
    if (right === null && !this.#leftJoin) return
    const value = defined(this.#joiner(left, right, key))
    context.forward({ key, value, timestamp, headers: record.headers })
  }

  close(): void {
    this.#rows.close?.()
  }
}

/** Joins each record to the table's row under its key: of a versioned table, to the row of the record's time. Kafka Streams' KStreamKTableJoinProcessor. */
export function streamTableJoin<K, VL, VR, R>(
  view: TableView<K, VR>,
  joiner: ValueJoiner<K, VL, VR | null, R>,
  leftJoin: boolean,
): ProcessorSupplier<K, VL | null, K, R> {
  return () => new StreamTableJoin(view, joiner, leftJoin)
}
