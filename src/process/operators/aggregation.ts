import type { Serde } from '../../serde/serde.ts'
import type { StreamRecord } from '../record.ts'
import type { Aggregator, Initializer } from './aggregate.ts'
import { copier } from './copier.ts'
import { defined } from './map-values.ts'
import type { Reducer } from './reduce.ts'

/** @returns one aggregate for two of the same key, null for none. May change and return `one`, which is a copy. */
export type Merger<K, A, R extends A | null = A | null> = (one: A, two: A, key: K) => R

/** How a windowed aggregate is computed. null is no aggregate. No method changes what it is given. */
export interface Aggregation<K, V, A> {
  /** The aggregate before the first record of a window. */
  initial(): A | null
  add(aggregate: A | null, record: StreamRecord<K, V>): A | null
  /** The aggregate of two sessions. */
  merge(one: A | null, two: A, key: K): A | null
}

/** Does not decode the values. */
export const counting: Aggregation<unknown, unknown, number> = {
  initial: () => 0,
  add: (count) => count! + 1,
  merge: (one, two) => one! + two,
}

/** @param value the aggregates' serde */
export function reducing<K, V>(reducer: Reducer<K, V>, value: Serde<V>): Aggregation<K, V, V> {
  const copy = copier(value)
  return {
    initial: () => null,
    add: (aggregate, record) =>
      aggregate === null ? record.value : defined(reducer(copy(aggregate), record.value, record.key)),
    merge: (one, two, key) => (one === null ? two : defined(reducer(copy(one), two, key))),
  }
}

/**
 * @param merger null where nothing is merged
 * @param value the aggregates' serde
 */
export function aggregating<K, V, A>(
  initializer: Initializer<A>,
  aggregator: Aggregator<K, V, A>,
  merger: Merger<K, A> | null,
  value: Serde<A>,
): Aggregation<K, V, A> {
  const copy = copier(value)
  return {
    initial: () => defined(initializer()),
    // The user's functions get null where one of them has returned it before: as in Kafka Streams.
    add: (aggregate, record) => defined(aggregator(copy(aggregate as A), record.value, record.key)),
    merge: (one, two, key) => defined(merger!(copy(one as A), copy(two), key)),
  }
}
