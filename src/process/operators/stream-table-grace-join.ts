import type { KeyValueStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { RecordOrigin } from '../record-origin.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import { type BufferedRecord, type BufferKey, RecordBuffer } from './record-buffer.ts'
import type { ValueJoiner } from './stream-table-join.ts'
import type { RowReader, TableView } from './table-view.ts'

export interface GraceJoinOptions {
  readonly leftJoin: boolean
  /** The store in which records wait. */
  readonly buffer: string
  readonly graceMs: number
}

class StreamTableGraceJoin<K, VL, VR, R> implements Processor<K, VL | null, K, R> {
  readonly #view: TableView<K, VR>
  readonly #joiner: ValueJoiner<K, VL, VR | null, R>
  readonly #options: GraceJoinOptions
  #rows!: RowReader<K, VR>
  #buffer!: RecordBuffer<K, VL>

  constructor(view: TableView<K, VR>, joiner: ValueJoiner<K, VL, VR | null, R>, options: GraceJoinOptions) {
    this.#view = view
    this.#joiner = joiner
    this.#options = options
  }

  init(context: OperatorContext<K, R>): void {
    const { buffer, graceMs } = this.#options
    this.#rows = this.#view.open(context)
    this.#buffer = new RecordBuffer(
      context.stateStore<KeyValueStore<BufferKey<K>, BufferedRecord<VL>>>(buffer),
      graceMs,
    )
  }

  process(record: StreamRecord<K, VL | null>, context: OperatorContext<K, R>): void {
    const { key, value } = record
    const { leftJoin } = this.#options
    if (value === null || (key === null && !leftJoin)) {
      context.recordDropped('null key or value')
      return
    }
    const waiting = record as StreamRecord<K, VL>
    // No row will ever be found for a record without a key: nothing to wait for.
    if (key === null || !this.#buffer.put(waiting, context)) {
      const joined = this.#joined(waiting)
      if (joined !== null) context.forward(joined)
      return
    }
    this.#buffer.evict((evicted, origin: RecordOrigin) => {
      const joined = this.#joined(evicted)
      if (joined !== null) context.forwardFor(origin, joined)
    })
  }

  #joined({ key, value, timestamp, headers }: StreamRecord<K, VL>): StreamRecord<K, R> | null {
    const right = key === null ? null : this.#rows.get(key, timestamp)
    if (right === null && !this.#options.leftJoin) return null
    return { key, value: defined(this.#joiner(value, right, key)), timestamp, headers }
  }

  close(): void {
    this.#rows.close?.()
  }
}

/**
 * Joins each record to the row of its time in a versioned table, when the grace has passed, so that rows that come late are found. Kafka Streams'
 * KStreamKTableJoinProcessor with a buffer (KIP-923).
 */
export function streamTableGraceJoin<K, VL, VR, R>(
  view: TableView<K, VR>,
  joiner: ValueJoiner<K, VL, VR | null, R>,
  options: GraceJoinOptions,
): ProcessorSupplier<K, VL | null, K, R> {
  return () => new StreamTableGraceJoin(view, joiner, options)
}
