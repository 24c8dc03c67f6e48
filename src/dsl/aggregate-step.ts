import type { AggregateOptions } from '../process/operators/aggregate.ts'
import type { Change } from '../process/operators/change.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { type DslGraph, GraphNode, type RepartitionGraphNode } from './graph.ts'
import { repartitionNode } from './repartition.ts'
import { requireSerde } from './serde-state.ts'
import { Table } from './table.ts'
import type { TableRows } from './table-rows.ts'

export interface GroupedParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  readonly sources: ReadonlySet<string>
  readonly key: Serde<K>
  readonly value: Serde<V> | null
  readonly repartitionRequired: boolean
  /** Given by the user: then all aggregates of this grouping share one topic. */
  readonly repartitionName: string | null
}

/** An aggregate, ready to be added. */
export interface AggregateStep<K, V, KR, A> {
  readonly name: string
  readonly store: StoreDefinition
  readonly operator: (options: AggregateOptions) => ProcessorSupplier<K, V, KR, Change<A>>
  readonly rows: TableRows<KR, A>
  /** Of the result's keys and values. */
  readonly key: Serde<KR>
  readonly value: Serde<A>
  /** Of windows: how long after its end one still takes records, ms. */
  readonly graceMs?: number
  /** The result has the records' keys, not windowed ones. */
  readonly preservesKey: boolean
}

/** What groups records for aggregates, windowed or not. Kafka Streams' GroupedStreamAggregateBuilder. */
export class Grouping<K, V> {
  readonly parts: GroupedParts<K, V>
  #repartition: RepartitionGraphNode | null = null

  constructor(parts: GroupedParts<K, V>) {
    this.parts = parts
  }

  add<KR, A, Absent extends null>(step: AggregateStep<K, V, KR, A>): Table<KR, A, 'known', Absent> {
    const { name, store, operator, rows, key, value, preservesKey, graceMs = null } = step
    const { graph, node, sources, repartitionRequired } = this.parts
    const supplier = operator({ store: store.name, sendsOldValues: () => rows.sendsOldValues })
    const parent = repartitionRequired ? this.#repartitioned(store.name) : node
    const added = new GraphNode(name, (topology, parents) => {
      topology.addStateStore(store)
      topology.addProcessor(name, supplier, {
        parents,
        stores: [store.name],
        preservesKey,
        readsByKey: [store.name],
      })
    })
    added.windowGraceMs = graceMs
    graph.add(added, parent)
    const from = repartitionRequired ? new Set([parent.name]) : sources
    return new Table({ graph, node: added, sources: from, key, value, rows })
  }

  /** The topic's source: a new one for each aggregate, unless the grouping was given a name. */
  #repartitioned(storeName: string): RepartitionGraphNode {
    const { graph, node, key, repartitionName } = this.parts
    const value = requireSerde('groupByKey', 'value', undefined, this.parts.value)
    const made = repartitionNode(graph, { name: repartitionName ?? storeName, key, value })
    if (this.#repartition === null || repartitionName === null) this.#repartition = made
    return graph.add(this.#repartition, node)
  }
}
