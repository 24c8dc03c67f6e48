import type { ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { RecordMetadata } from '../record.ts'
import type { Change } from './change.ts'
import { DelegatingContext } from './delegating-context.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import { TableMap, type TableMapOptions } from './table-map.ts'
import type { RowReader, TableView } from './table-view.ts'

/** What a {@link ValueTransformer} sees of its task: all that a processor does, except that it cannot forward. */
export type TransformerContext = Omit<ProcessorContext<never, never>, 'forward'>

/** Makes rows' values, with state of its own. Kafka Streams' ValueTransformerWithKey. */
export interface ValueTransformer<K, V, V2> {
  /** Called once before the first row. */
  init?(context: TransformerContext): void
  /**
   * Where the table has no store it is called anew whenever a row is asked for, so it must always give the same for the same row.
   *
   * @param value null for a row that is deleted, or not there
   * @returns null for no row
   */
  transform(value: V | null, key: K): V2 | null
  close?(): void
}

/** Makes a new transformer for every task, and for each of those who read the rows of a table without a store. */
export type ValueTransformerSupplier<K, V, V2> = () => ValueTransformer<K, V, V2>

export type TableTransformOptions = Omit<TableMapOptions, 'forwardsAbsence'>

class SilentContext extends DelegatingContext<never, never> {
  /** A row is asked for by somebody else: no record of its own is at work. */
  isAsked = false

  override forward(): void {
    throw new TypeError('transformValues cannot forward: what transform returns is the row')
  }

  override recordMetadata(): RecordMetadata | null {
    return this.isAsked ? null : super.recordMetadata()
  }
}

class TableTransform<K, V, V2> extends TableMap<K, V, V2> {
  readonly #transformer: ValueTransformer<K, V, V2>

  constructor(transformer: ValueTransformer<K, V, V2>, options: TableTransformOptions) {
    super((value, key) => defined(transformer.transform(value, key)), { ...options, forwardsAbsence: true })
    this.#transformer = transformer
  }

  override init(context: OperatorContext<K, Change<V2>>): void {
    this.#transformer.init?.(new SilentContext(context as ProcessorContext<never, never>))
    super.init(context)
  }

  close(): void {
    this.#transformer.close?.()
  }
}

class TransformingReader<K, V, V2> implements RowReader<K, V2> {
  readonly #parent: RowReader<K, V>
  readonly #transformer: ValueTransformer<K, V, V2>
  timestamp = -1

  constructor(parent: RowReader<K, V>, transformer: ValueTransformer<K, V, V2>, context: ProcessorContext) {
    this.#parent = parent
    this.#transformer = transformer
    const silent = new SilentContext(context as ProcessorContext<never, never>)
    silent.isAsked = true
    transformer.init?.(silent)
  }

  get(key: K, asOfTimestamp?: number): V2 | null {
    const value = defined(this.#transformer.transform(this.#parent.get(key, asOfTimestamp), key))
    this.timestamp = value === null ? -1 : this.#parent.timestamp
    return value
  }

  close(): void {
    this.#parent.close?.()
    this.#transformer.close?.()
  }
}

/** A table whose rows are made one by one from another table's, with state. Kafka Streams' KTableTransformValues. */
export function tableTransform<K, V, V2>(
  supplier: ValueTransformerSupplier<K, V, V2>,
  options: TableTransformOptions,
): ProcessorSupplier<K, Change<V>, K, Change<V2>> {
  return () => new TableTransform(supplier(), options)
}

/** Reads a parent table's row and transforms it: for tables without a store. @param stores what transformers use */
export function transformedView<K, V, V2>(
  parent: TableView<K, V>,
  supplier: ValueTransformerSupplier<K, V, V2>,
  stores: readonly string[],
): TableView<K, V2> {
  return {
    ...parent,
    stores: [...new Set([...parent.stores, ...stores])],
    open: (context) => new TransformingReader(parent.open(context), supplier(), context),
  }
}
