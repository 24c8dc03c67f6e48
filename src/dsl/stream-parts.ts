import type { Serde } from '../serde/serde.ts'
import type { DslGraph, GraphNode } from './graph.ts'

/** What a stream is made of. */
export interface StreamParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  /** The sources it comes from, back to the last repartition topic. */
  readonly sources: ReadonlySet<string>
  /** null when unknown, after the keys (or values) have changed. */
  readonly key: Serde<K> | null
  readonly value: Serde<V> | null
  /** True when a key may have changed: records of a key no longer come from one partition. */
  readonly repartitionRequired: boolean
}
