import type { Store, Windowed } from '../../state/store.ts'
import type { Processor } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Aggregation } from './aggregation.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import { WindowClose, type WindowedAggregateOptions } from './window-close.ts'

/** Makes what puts and forwards an aggregate's rows; see WindowForwarder. */
export type ForwarderType<K, A, S extends Store, F> = new (
  store: S,
  context: OperatorContext<Windowed<K>, Change<A>>,
  sendsOldValues: boolean,
  forwards: boolean,
) => F

/** What aggregates over all kinds of windows have in common. */
export abstract class WindowedAggregate<K, V, A, S extends Store, F>
  implements Processor<K, V, Windowed<K>, Change<A>>
{
  protected readonly aggregation: Aggregation<K, V, A>
  readonly #options: WindowedAggregateOptions
  readonly #forwarderType: ForwarderType<K, A, S, F>
  readonly #sendsOldValues: boolean
  protected context!: OperatorContext<Windowed<K>, Change<A>>
  protected store!: S
  protected forwarder!: F
  /** Null when every change is forwarded. */
  protected windowClose: WindowClose | null = null
  /** The highest timestamp seen by this operator since it was made, as in Kafka Streams. */
  protected streamTimeMs = -1

  constructor(
    aggregation: Aggregation<K, V, A>,
    options: WindowedAggregateOptions,
    forwarderType: ForwarderType<K, A, S, F>,
  ) {
    this.aggregation = aggregation
    this.#options = options
    this.#forwarderType = forwarderType
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<Windowed<K>, Change<A>>): void {
    const { store, emitsOnClose } = this.#options
    this.context = context
    this.store = context.stateStore<S>(store)
    this.forwarder = new this.#forwarderType(this.store, context, this.#sendsOldValues, !emitsOnClose)
    if (emitsOnClose) this.windowClose = new WindowClose(context, store)
  }

  abstract process(record: StreamRecord<K, V>, context: OperatorContext<Windowed<K>, Change<A>>): void
}
