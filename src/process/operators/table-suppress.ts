import type { SuppressBuffer } from '../../state/suppress-buffer.ts'
import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import type { RowReader, TableView } from './table-view.ts'

export interface TableSuppressOptions<K> {
  /** For messages. */
  readonly name: string
  readonly store: string
  /** How long a change waits after its time, ms. */
  readonly waitMs: number
  /** The time by which changes wait and are ordered, ms. */
  readonly timeMs: (key: K, timestamp: number) => number
  /** Infinity: no bound. */
  readonly recordsMax: number
  readonly bytesMax: number
  /** False: an error ends the task. */
  readonly emitsEarly: boolean
  /** Deletions are not forwarded. */
  readonly dropsTombstones: boolean
}

class TableSuppress<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #options: TableSuppressOptions<K>
  #buffer!: SuppressBuffer<K, V>
  /** The highest timestamp seen by this operator since it was made, as in Kafka Streams. */
  #streamTimeMs = -1

  constructor(options: TableSuppressOptions<K>) {
    this.#options = options
  }

  init(context: OperatorContext<K, Change<V>>): void {
    this.#buffer = context.stateStore(this.#options.store)
  }

  process(record: StreamRecord<K, Change<V>>, context: OperatorContext<K, Change<V>>): void {
    const { key, timestamp } = record
    const { newValue, oldValue } = record.value
    const { waitMs, timeMs, emitsEarly } = this.#options
    const buffer = this.#buffer
    if (timestamp > this.#streamTimeMs) this.#streamTimeMs = timestamp
    buffer.put(key, newValue, oldValue, timeMs(key, timestamp), context.origin(record, null))
    const expiryMs = this.#streamTimeMs - waitMs
    while (buffer.firstTimeMs <= expiryMs) this.#emit(context)
    if (!this.#isFull()) return
    if (!emitsEarly) throw this.#fullError()
    while (this.#isFull()) this.#emit(context)
  }

  #emit(context: OperatorContext<K, Change<V>>): void {
    const { key, newValue, oldValue, origin } = this.#buffer.first()
    if (newValue !== null || !this.#options.dropsTombstones) {
      const { timestamp, headers } = origin
      context.forwardFor(origin, { key, value: { newValue, oldValue }, timestamp, headers })
      context.suppressionEmitted()
    }
    this.#buffer.removeFirst()
  }

  #isFull(): boolean {
    const { recordsMax, bytesMax } = this.#options
    return this.#buffer.size > recordsMax || this.#buffer.bytes > bytesMax
  }

  #fullError(): Error {
    const { name, recordsMax, bytesMax } = this.#options
    const { size, bytes } = this.#buffer
    return new Error(
      `the buffer of ${name} is full: it has ${size} records of at most ${recordsMax}, ${bytes} bytes of at most ${bytesMax}`,
    )
  }
}

/** Holds changes back, one for each key, until their time has come. Kafka Streams' KTableSuppressProcessorSupplier. */
export function tableSuppress<K, V>(
  options: TableSuppressOptions<K>,
): ProcessorSupplier<K, Change<V>, K, Change<V>> {
  return () => new TableSuppress(options)
}

class SuppressReader<K, V> implements RowReader<K, V> {
  readonly #buffer: SuppressBuffer<K, V>
  readonly #parent: RowReader<K, V>
  timestamp = -1

  constructor(buffer: SuppressBuffer<K, V>, parent: RowReader<K, V>) {
    this.#buffer = buffer
    this.#parent = parent
  }

  get(key: K): V | null {
    const prior = this.#buffer.prior(key)
    if (prior !== undefined) {
      // The buffer does not know when it was.
      this.timestamp = -1
      return prior
    }
    const value = this.#parent.get(key)
    this.timestamp = this.#parent.timestamp
    return value
  }

  close(): void {
    this.#parent.close?.()
  }
}

/** Reads a table as those below have seen it: of a row whose change waits, what it was before. */
export function suppressedView<K, V>(store: string, parent: TableView<K, V>): TableView<K, V> {
  return {
    stores: [store, ...parent.stores],
    open: (context: ProcessorContext) => new SuppressReader(context.stateStore(store), parent.open(context)),
  }
}
