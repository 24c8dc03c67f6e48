import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { KeySelector } from './map.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { ValueJoiner } from './stream-table-join.ts'
import type { RowReader, TableView } from './table-view.ts'

class StreamGlobalTableJoin<K, VL, GK, VR, R> implements Processor<K, VL | null, K, R> {
  readonly #view: TableView<GK, VR>
  readonly #keySelector: KeySelector<K, VL, GK | null | undefined>
  readonly #joiner: ValueJoiner<K, VL, VR | null, R>
  readonly #leftJoin: boolean
  #rows!: RowReader<GK, VR>

  constructor(
    view: TableView<GK, VR>,
    keySelector: KeySelector<K, VL, GK | null | undefined>,
    joiner: ValueJoiner<K, VL, VR | null, R>,
    leftJoin: boolean,
  ) {
    this.#view = view
    this.#keySelector = keySelector
    this.#joiner = joiner
    this.#leftJoin = leftJoin
  }

  init(context: OperatorContext<K, R>): void {
    this.#rows = this.#view.open(context)
  }

  process(record: StreamRecord<K, VL | null>, context: OperatorContext<K, R>): void {
    const { key, value: left } = record
    const rowKey = left === null ? null : (this.#keySelector(record as StreamRecord<K, VL>) ?? null)
    if (left === null || (rowKey === null && !this.#leftJoin)) {
      context.recordDropped('null join key or value')
      return
    }
    const right = rowKey === null ? null : this.#rows.get(rowKey)
    if (right === null && !this.#leftJoin) return
    const value = defined(this.#joiner(left, right, key))
    context.forward({ key, value, timestamp: record.timestamp, headers: record.headers })
  }
}

/** Joins each record to the row of a global table that it chooses. Kafka Streams' KStreamGlobalKTableJoin. */
export function streamGlobalTableJoin<K, VL, GK, VR, R>(
  view: TableView<GK, VR>,
  keySelector: KeySelector<K, VL, GK | null | undefined>,
  joiner: ValueJoiner<K, VL, VR | null, R>,
  leftJoin: boolean,
): ProcessorSupplier<K, VL | null, K, R> {
  return () => new StreamGlobalTableJoin(view, keySelector, joiner, leftJoin)
}
