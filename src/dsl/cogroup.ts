import type { AggregateOptions, Aggregator, Initializer } from '../process/operators/aggregate.ts'
import type { Change } from '../process/operators/change.ts'
import { passThrough } from '../process/operators/peek.ts'
import type { TableView } from '../process/operators/table-view.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import type { Grouping } from './aggregate-step.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import {
  checkStep,
  checkStoreOptions,
  type MaterializedOptions,
  type NameOption,
  type StoreOptions,
  type WindowedMaterializedOptions,
} from './options.ts'
import { repartitionNode } from './repartition.ts'
import { requireSerde } from './serde-state.ts'
import { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'

export interface CogroupSpecification<K, A> extends NameOption, StoreOptions {
  readonly initializer: Initializer<A>
  /** The store's key serde. Default: the first grouping's. */
  readonly key?: Serde<K>
  readonly value: Serde<A>
}

export type AnyGrouping<K> = Grouping<K, unknown>
export type AnyAggregator<K, A> = Aggregator<K, unknown, A>

/** A cogrouped aggregate, ready to be added. */
export interface CogroupStep<K, A, KR> {
  readonly options: NameOption
  readonly store: StoreDefinition
  readonly operator: (
    aggregator: AnyAggregator<K, A>,
    options: AggregateOptions,
  ) => ProcessorSupplier<K, unknown, KR, Change<A>>
  readonly view: TableView<KR, A>
  readonly keyValueStore: string | null
  /** Of the result's keys and values. */
  readonly key: Serde<KR>
  readonly value: Serde<A>
  /** Of windows. */
  readonly graceMs: number | null
}

const AGGREGATE = 'COGROUPKSTREAM-AGGREGATE-'

/** The streams and what each does to the aggregate. Kafka Streams' CogroupedStreamAggregateBuilder. */
export class Cogroup<K, A> {
  readonly graph: DslGraph
  readonly #aggregators = new Map<AnyGrouping<K>, AnyAggregator<K, A>>()
  /** Where each one's records come from: shared by all aggregates. */
  readonly #parents = new Map<AnyGrouping<K>, GraphNode>()

  constructor(graph: DslGraph) {
    this.graph = graph
  }

  /** A grouping that is there already gets another aggregator. */
  set(grouping: AnyGrouping<K>, aggregator: AnyAggregator<K, A>): void {
    if (grouping.parts.graph !== this.graph)
      throw new TopologyError('cogroup: the other stream belongs to another builder')
    this.#aggregators.set(grouping, aggregator)
  }

  get key(): Serde<K> {
    const [first] = this.#aggregators.keys()
    return first!.parts.key
  }

  add<KR>(step: CogroupStep<K, A, KR>): Table<KR, A> {
    const { options, store, operator, view, keyValueStore, key, value, graceMs } = step
    const { graph } = this
    const sources = this.#joinSources(store.name)
    const rows = new AggregateRows<KR, A>(view, keyValueStore)
    const nodes: GraphNode[] = []
    for (const [grouping, aggregator] of this.#aggregators) {
      const suffixed = options.name === undefined ? undefined : `${options.name}-cogroup-agg-${nodes.length}`
      const name = graph.nameOr(suffixed, AGGREGATE)
      const supplier = operator(aggregator, {
        store: store.name,
        sendsOldValues: () => rows.sendsOldValues,
      })
      const node = new GraphNode(name, (topology, parents) => {
        topology.addStateStore(store)
        topology.addProcessor(name, supplier, {
          parents,
          stores: [store.name],
          preservesKey: keyValueStore !== null,
          readsByKey: [store.name],
        })
      })
      node.windowGraceMs = graceMs
      nodes.push(graph.add(node, this.#parents.get(grouping)!))
    }
    const merged = options.name === undefined ? undefined : `${options.name}-cogroup-merge`
    const name = graph.nameOr(merged, 'COGROUPKSTREAM-MERGE-')
    const merge = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, passThrough(), { parents, preservesKey: true }),
    )
    graph.add(merge, ...nodes)
    return new Table({ graph, node: merge, sources, key, value, rows })
  }

  /** Sees that every stream's records come by their keys. @returns the sources of all */
  #joinSources(storeName: string): ReadonlySet<string> {
    const { graph } = this
    const sources = new Set<string>()
    for (const grouping of this.#aggregators.keys()) {
      const { node, key, value, repartitionRequired, repartitionName, sources: own } = grouping.parts
      if (!repartitionRequired) {
        this.#parents.set(grouping, node)
        for (const source of own) sources.add(source)
        continue
      }
      // Names are used up even if the topic is there already, as in Kafka Streams.
      const made = repartitionNode(graph, {
        name: repartitionName ?? storeName,
        key,
        value: requireSerde('cogroup', 'value', undefined, value),
        isMergeable: true,
      })
      let parent = this.#parents.get(grouping)
      if (parent === undefined) {
        parent = graph.add(made, node)
        this.#parents.set(grouping, parent)
      }
      sources.add(parent.name)
    }
    graph.copartition(sources)
    return sources
  }
}

/** Checks what was given. @param functions besides the initializer */
export function checked<
  S extends CogroupSpecification<never, unknown> | CogroupSpecification<unknown, unknown>,
>(specification: S, functions: readonly (keyof S & string)[], allowed: readonly string[]): S {
  const known = ['initializer', ...functions, ...allowed]
  checkOptions('aggregate', specification ?? null, known)
  checkFunction('aggregate', 'initializer', specification.initializer)
  for (const name of functions) checkFunction('aggregate', name, specification[name])
  checkStep('aggregate', specification, known)
  checkStoreOptions('aggregate', specification)
  return specification
}

export function serdesAndStore<K, A>(
  cogroup: Cogroup<K, A>,
  options: MaterializedOptions<K, A> | WindowedMaterializedOptions<K, A>,
): { readonly key: Serde<K>; readonly value: Serde<A>; readonly storeName: string } {
  const key = requireSerde('aggregate', 'key', options.key, cogroup.key)
  const value = requireSerde('aggregate', 'value', options.value, null)
  return { key, value, storeName: options.store ?? cogroup.graph.newStoreName(AGGREGATE) }
}
