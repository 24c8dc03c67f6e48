import {
  type AggregateOptions,
  type Aggregator,
  aggregate,
  type Initializer,
} from '../process/operators/aggregate.ts'
import { aggregating, type Merger } from '../process/operators/aggregation.ts'
import type { Change } from '../process/operators/change.ts'
import { passThrough } from '../process/operators/peek.ts'
import { sessionAggregate } from '../process/operators/session-aggregate.ts'
import { sessionView, storeView, type TableView, windowView } from '../process/operators/table-view.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { sessionWindowedSerde, timeWindowedSerde, type Windowed } from '../serde/windowed.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction, checkOptions, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import type { Grouping } from './aggregate-step.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import { GroupedStream } from './grouped-stream.ts'
import {
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  type NameOption,
  type StoreOptions,
  tableStore,
  type VersionsOptions,
  WINDOWED_MATERIALIZED,
  type WindowedMaterializedOptions,
} from './options.ts'
import { repartitionNode } from './repartition.ts'
import { requireSerde, type SerdeState } from './serde-state.ts'
import { sessionStore } from './session-windowed-stream.ts'
import { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'
import {
  slidingWindowPlan,
  type TimeWindowPlan,
  timeWindowPlan,
  timeWindowStore,
} from './time-windowed-stream.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from './windows.ts'

export interface CogroupSpecification<K, A> extends NameOption, StoreOptions {
  readonly initializer: Initializer<A>
  /** The store's key serde. Default: the first grouping's. */
  readonly key?: Serde<K>
  readonly value: Serde<A>
}

export interface WindowedCogroupSpecification<K, A> extends CogroupSpecification<K, A> {
  /** How far behind the latest window windows are kept, ms. Default: as long as they take records, which is the least that is allowed. */
  readonly retentionMs?: number
}

export interface SessionCogroupSpecification<K, A> extends WindowedCogroupSpecification<K, A> {
  /** Makes one aggregate of two, (one, two, key): of sessions that a record connects, beginning with what `initializer` returns. */
  readonly merger: Merger<K, A>
}

type AnyGrouping<K> = Grouping<K, unknown>
type AnyAggregator<K, A> = Aggregator<K, unknown, A>

/** A cogrouped aggregate, ready to be added. */
interface CogroupStep<K, A, KR> {
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
class Cogroup<K, A> {
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

/**
 * Several streams, grouped by the same keys, that are aggregated into one table: each has an aggregator of its own. Kafka Streams'
 * CogroupedKStream. Of two streams that need a topic (their keys were changed), at least one grouping needs a name.
 */
export class CogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>

  /** @internal */
  constructor(graph: DslGraph) {
    this.#cogroup = new Cogroup(graph)
  }

  /**
   * Adds another stream, in place, and returns this. Kafka Streams' CogroupedKStream.cogroup.
   *
   * @param aggregator gets (aggregate, value, key) of that stream's records; null deletes the aggregate
   */
  cogroup<V, VS extends SerdeState, Null extends null>(
    grouped: GroupedStream<K, V, VS, Null>,
    aggregator: Aggregator<K, V | Null, A>,
  ): this {
    if (!(grouped instanceof GroupedStream))
      throw new TopologyError(`cogroup: a grouped stream is expected, not ${kindOf(grouped)}`)
    checkFunction('cogroup', 'the aggregator', aggregator)
    this.#cogroup.set(grouped.grouping as AnyGrouping<K>, aggregator as AnyAggregator<K, A>)
    return this
  }

  /** Cuts time into windows: each key has a result for each of them. */
  windowedBy(windows: TimeWindows | SlidingWindows | UnlimitedWindows): TimeWindowedCogroupedStream<K, A>
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedStream<K, A>
  windowedBy(
    windows: TimeWindows | SlidingWindows | UnlimitedWindows | SessionWindows,
  ): TimeWindowedCogroupedStream<K, A> | SessionWindowedCogroupedStream<K, A> {
    if (windows instanceof SessionWindows) return new SessionWindowedCogroupedStream(this.#cogroup, windows)
    if (windows instanceof SlidingWindows)
      return new TimeWindowedCogroupedStream(this.#cogroup, slidingWindowPlan(windows))
    if (windows instanceof TimeWindows || windows instanceof UnlimitedWindows)
      return new TimeWindowedCogroupedStream(this.#cogroup, timeWindowPlan(windows))
    throw new TopologyError(
      `windowedBy: TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows are expected, not ${kindOf(windows)}`,
    )
  }

  /** The table of all streams' aggregates, each key's beginning with what `initializer` returns. Records with a null key or value are dropped and counted. */
  aggregate(specification: CogroupSpecification<K, A> & VersionsOptions): Table<K, A> {
    const { initializer, ...options } = checked(specification, [], MATERIALIZED)
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<K>({
      options,
      store: tableStore(storeName, key, value, options),
      operator: (aggregator, aggregateOptions) => aggregate(initializer, aggregator, value, aggregateOptions),
      view: storeView(storeName, options.historyRetentionMs),
      keyValueStore: storeName,
      key,
      value,
      graceMs: null,
    })
  }
}

/** Cogrouped streams by key and time window. Kafka Streams' TimeWindowedCogroupedKStream. Null values are seen as in a TimeWindowedStream. */
export class TimeWindowedCogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>
  readonly #plan: TimeWindowPlan

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, plan: TimeWindowPlan) {
    this.#cogroup = cogroup
    this.#plan = plan
  }

  aggregate(specification: WindowedCogroupSpecification<K, A>): Table<Windowed<K>, A> {
    const { initializer, ...options } = checked(specification, [], WINDOWED_MATERIALIZED)
    const plan = this.#plan
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<Windowed<K>>({
      options,
      store: timeWindowStore(`aggregate ${storeName}`, storeName, key, value, plan, options),
      operator: (aggregator, aggregateOptions) =>
        plan.operator(aggregating(initializer, aggregator, null, value), {
          ...aggregateOptions,
          emitsOnClose: false,
        }),
      view: windowView(storeName),
      keyValueStore: null,
      key: timeWindowedSerde(key, plan.windowSizeMs),
      value,
      graceMs: plan.graceMs,
    })
  }
}

/** Cogrouped streams by key and session. Kafka Streams' SessionWindowedCogroupedKStream. Null values are seen as in a SessionWindowedStream. */
export class SessionWindowedCogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>
  readonly #windows: SessionWindows

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, windows: SessionWindows) {
    this.#cogroup = cogroup
    this.#windows = windows
  }

  aggregate(specification: SessionCogroupSpecification<K, A>): Table<Windowed<K>, A> {
    const { initializer, merger, ...options } = checked(specification, ['merger'], WINDOWED_MATERIALIZED)
    const windows = this.#windows
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<Windowed<K>>({
      options,
      store: sessionStore(`aggregate ${storeName}`, storeName, key, value, windows, options),
      operator: (aggregator, aggregateOptions) =>
        sessionAggregate(windows, aggregating(initializer, aggregator, merger, value), {
          ...aggregateOptions,
          emitsOnClose: false,
        }),
      view: sessionView(storeName),
      keyValueStore: null,
      key: sessionWindowedSerde(key),
      value,
      graceMs: windows.inactivityGapMs + windows.graceMs,
    })
  }
}

/** Checks what was given. @param functions besides the initializer */
function checked<S extends CogroupSpecification<never, unknown> | CogroupSpecification<unknown, unknown>>(
  specification: S,
  functions: readonly (keyof S & string)[],
  allowed: readonly string[],
): S {
  const known = ['initializer', ...functions, ...allowed]
  checkOptions('aggregate', specification ?? null, known)
  checkFunction('aggregate', 'initializer', specification.initializer)
  for (const name of functions) checkFunction('aggregate', name, specification[name])
  checkStep('aggregate', specification, known)
  checkStoreOptions('aggregate', specification)
  return specification
}

function serdesAndStore<K, A>(
  cogroup: Cogroup<K, A>,
  options: MaterializedOptions<K, A> | WindowedMaterializedOptions<K, A>,
): { readonly key: Serde<K>; readonly value: Serde<A>; readonly storeName: string } {
  const key = requireSerde('aggregate', 'key', options.key, cogroup.key)
  const value = requireSerde('aggregate', 'value', options.value, null)
  return { key, value, storeName: options.store ?? cogroup.graph.newStoreName(AGGREGATE) }
}
