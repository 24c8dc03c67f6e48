import type { Serde } from '../serde/serde.ts'
import type { DslGraph, GraphNode } from './graph.ts'
import type { TableRows } from './table-rows.ts'

/** What a table is made of. */
export interface TableParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  readonly sources: ReadonlySet<string>
  readonly key: Serde<K>
  /** null when unknown, after the values have changed. */
  readonly value: Serde<V> | null
  readonly rows: TableRows<K, V>
}
