import type { Aggregator, Initializer } from '../process/operators/aggregate.ts'
import {
  type Aggregation,
  aggregating,
  counting,
  type Merger,
  reducing,
} from '../process/operators/aggregation.ts'
import type { Reducer } from '../process/operators/reduce.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import type { Windowed } from '../serde/windowed.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import type { Grouping } from './aggregate-step.ts'
import {
  asksForStore,
  checkStep,
  type NameOption,
  type StoreOptions,
  WINDOWED_MATERIALIZED,
  type WindowedMaterializedOptions,
} from './options.ts'
import { requireSerde, type SerdeState } from './serde-state.ts'
import type { Table } from './table.ts'
import type { EmitStrategy } from './windows.ts'

export interface WindowedAggregateSpecification<K, V, A, R extends A | null>
  extends NameOption,
    StoreOptions {
  readonly initializer: Initializer<A>
  /** Gets (aggregate, value, key). Returning null deletes the aggregate. */
  readonly aggregator: Aggregator<K, V, A, R>
  /** The store's key serde. Default: the grouping's. */
  readonly key?: Serde<K>
  readonly value: Serde<A>
  /** How far behind the latest window windows are kept, ms. Default: as long as they take records, which is the least that is allowed. */
  readonly retentionMs?: number
}

/** What records grouped by key and window have in common, whatever the windows. */
export abstract class WindowedStream<K, V, VS extends SerdeState, Null extends null> {
  declare protected readonly states: [VS, Null]
  protected readonly grouping: Grouping<K, V>
  protected readonly emitsOnClose: boolean

  constructor(grouping: Grouping<K, V>, emitStrategy: EmitStrategy) {
    this.grouping = grouping
    this.emitsOnClose = emitStrategy === 'on-window-close'
  }

  /** Adds the aggregate. @param prefix of generated names */
  protected abstract table<A, Absent extends null>(
    method: string,
    prefix: string,
    options: WindowedMaterializedOptions<K, A> | undefined,
    value: Serde<A>,
    aggregation: Aggregation<K, V, A>,
  ): Table<Windowed<K>, A, 'known', Absent>

  /** @param wastesName Kafka Streams generates one name too many for most counts, and later names depend on it */
  protected counted<Absent extends null>(
    options: WindowedMaterializedOptions<K, number> | undefined,
    wastesName: boolean,
  ): Table<Windowed<K>, number, 'known', Absent> {
    checkStep('count', options, WINDOWED_MATERIALIZED)
    if (wastesName && asksForStore(options) && options?.store === undefined)
      this.grouping.parts.graph.newStoreName('KSTREAM-AGGREGATE-')
    return this.table('count', 'KSTREAM-AGGREGATE-', options, options?.value ?? serdes.int64, counting)
  }

  protected reduced<Absent extends null>(
    reducer: (aggregate: V, value: V | Null, key: K) => V | null,
    options: WindowedMaterializedOptions<K, V> | undefined,
  ): Table<Windowed<K>, V, 'known', Absent> {
    checkFunction('reduce', 'the reducer', reducer)
    checkStep('reduce', options, WINDOWED_MATERIALIZED)
    const value = requireSerde('reduce', 'value', options?.value, this.grouping.parts.value)
    const aggregation = reducing(reducer as Reducer<K, V>, value)
    return this.table('reduce', 'KSTREAM-REDUCE-', options, value, aggregation)
  }

  /** @param merges whether the specification has a merger */
  protected aggregated<A, Absent extends null>(
    specification: WindowedAggregateSpecification<K, V | Null, A, A | null> & {
      readonly merger?: Merger<K, A>
    },
    merges: boolean,
  ): Table<Windowed<K>, A, 'known', Absent> {
    const functions = ['initializer', 'aggregator', ...(merges ? ['merger'] : [])]
    checkOptions('aggregate', specification ?? null, [...functions, ...WINDOWED_MATERIALIZED])
    const { initializer, aggregator, merger, ...options } = specification
    checkFunction('aggregate', 'initializer', initializer)
    checkFunction('aggregate', 'aggregator', aggregator)
    if (merges) checkFunction('aggregate', 'merger', merger)
    checkStep('aggregate', options, WINDOWED_MATERIALIZED)
    const value = requireSerde('aggregate', 'value', options.value, null)
    const aggregation = aggregating(initializer, aggregator as Aggregator<K, V, A>, merger ?? null, value)
    return this.table('aggregate', 'KSTREAM-AGGREGATE-', options, value, aggregation)
  }
}
