import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { RecordPredicate } from './filter.ts'

/** The branches of a split stream, in order; both lists may grow until the topology is built. */
export interface Branches<K, V> {
  readonly predicates: readonly RecordPredicate<K, V>[]
  /** One for each predicate, and after them the default branch's, when there is one. */
  readonly children: readonly string[]
}

class Branch<K, V> implements Processor<K, V, K, V> {
  readonly #branches: Branches<K, V>

  constructor(branches: Branches<K, V>) {
    this.#branches = branches
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K, V>): void {
    const { predicates, children } = this.#branches
    let index = 0
    while (index < predicates.length && !predicates[index]!(record)) index++
    if (index < children.length) context.forward(record, children[index]!)
  }
}

/** Forwards each record to the first branch whose predicate is true of it. Kafka Streams' KStreamBranch. */
export function branch<K, V>(branches: Branches<K, V>): ProcessorSupplier<K, V, K, V> {
  return () => new Branch(branches)
}
