import type { Store } from '../state/store.ts'
import type { ProcessorContext } from './processor.ts'
import type { RecordMetadata, StreamRecord } from './record.ts'

/**
 * A processor that has to wait for something else: a service, a database. `process` may run for several records at once, ahead of their turns;
 * `complete` runs for one record after the other, in the order of the records, with what its promise has given. All that a record changes is changed there.
 *
 * Of records with the same key (the one that the processor gets) the next begins when the one before is done with; those without a key are
 * independent. A promise that is rejected is an error of the processor, of which handlers are asked in the record's turn; with a RetriableError the
 * record is tried again.
 *
 * @example
 * class Pricing implements AsyncProcessor<string, Order, string, PricedOrder, number> {
 *   process({ value }: StreamRecord<string, Order>, { signal }: AsyncContext): Promise<number> {
 *     return fetchPrice(value.product, signal)
 *   }
 *
 *   complete(record: StreamRecord<string, Order>, price: number, context: ProcessorContext<string, PricedOrder>): void {
 *     const { key, value, timestamp, headers } = record
 *     context.forward({ key, value: { ...value, price }, timestamp, headers })
 *   }
 * }
 */
export interface AsyncProcessor<
  KIn = unknown,
  VIn = unknown,
  KOut = unknown,
  VOut = unknown,
  Result = unknown,
> {
  /** Called once before the first record, with the state restored. What the context gives can be used in `complete` and in punctuators. */
  init?(context: ProcessorContext<KOut, VOut>): void
  /**
   * Changes nothing of its task. It may be called again for the same record: after a RetriableError, and when the task begins anew after a failure or a
   * rebalance.
   */
  process(record: StreamRecord<KIn, VIn>, context: AsyncContext): Promise<Result>
  /** Default: nothing; the record is done with. */
  complete?(record: StreamRecord<KIn, VIn>, result: Result, context: ProcessorContext<KOut, VOut>): void
  /** Called once when the task stops; the state can no longer be changed. Promises may still be under way: their signals are aborted. */
  close?(): void
}

/** Makes a new processor for every task. */
export type AsyncProcessorSupplier<
  KIn = unknown,
  VIn = unknown,
  KOut = unknown,
  VOut = unknown,
  Result = unknown,
> = () => AsyncProcessor<KIn, VIn, KOut, VOut, Result>

/** What an async processor sees of its task while it makes a promise. */
export interface AsyncContext {
  /**
   * Aborted when nobody waits for the promise any more: it has taken longer than WEIR_ASYNC_TIMEOUT_MS, or the task is closed. What it gives then is
   * dropped.
   */
  readonly signal: AbortSignal
  /**
   * A store to read from, before the first `await`: it has what the records before this one have put, as far as they are done with, and all that
   * those of the same key have. Reads after that, and writes at any time, throw. Throws when the store is unknown or was not connected to this
   * processor.
   */
  stateStore<S extends Store = Store>(name: string): S
  /** The input record that is being processed. */
  recordMetadata(): RecordMetadata
}
