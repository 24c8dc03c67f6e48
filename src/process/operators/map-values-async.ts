import type { AsyncContext, AsyncProcessor, AsyncProcessorSupplier } from '../async-processor.ts'
import type { ProcessorContext } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { defined } from './map-values.ts'

/** @param signal aborted when nobody waits for the value any more */
export type AsyncValueMapper<K, V, V2> = (value: V, key: K, signal: AbortSignal) => Promise<V2>

class MapValuesAsync<K, V, V2> implements AsyncProcessor<K, V, K, V2, V2> {
  readonly #mapper: AsyncValueMapper<K, V, V2>

  constructor(mapper: AsyncValueMapper<K, V, V2>) {
    this.#mapper = mapper
  }

  async process({ value, key }: StreamRecord<K, V>, { signal }: AsyncContext): Promise<V2> {
    return defined(await this.#mapper(value, key, signal))
  }

  complete(
    { key, timestamp, headers }: StreamRecord<K, V>,
    value: V2,
    context: ProcessorContext<K, V2>,
  ): void {
    context.forward({ key, value, timestamp, headers })
  }
}

/** Forwards each record with the value that a promise gives; called for null values too. */
export function mapValuesAsync<K, V, V2>(
  mapper: AsyncValueMapper<K, V, V2>,
): AsyncProcessorSupplier<K, V, K, V2, V2> {
  return () => new MapValuesAsync(mapper)
}
