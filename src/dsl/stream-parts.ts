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

/** The stream of a source's records. @param source in the graph */
export function sourceParts<K, V>(
  graph: DslGraph,
  source: GraphNode,
  key: Serde<K>,
  value: Serde<V>,
): StreamParts<K, V> {
  return { graph, node: source, sources: new Set([source.name]), key, value, repartitionRequired: false }
}
