/**
 * Joins each visit of a customer with the customer's orders, which are rows of a store by prefix: `events` has both. TIERED_PREFIX comes before the topics' names; TIERED_TABLE is the table;
 * TIERED_LOCAL_BYTES is what a task keeps here. With TIERED_ASYNC each visit loads its orders itself.
 */
import {
  type AsyncContext,
  type AsyncProcessor,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  type TieredPrefixRow,
  type TieredPrefixStore,
  Topology,
} from '../../../src/index.ts'

/** An order that is placed, or taken back; or a visit. */
export type CustomerEvent =
  | { readonly order: number; readonly amount: number | null }
  | { readonly visit: number }

export interface Visit {
  readonly visit: number
  /** By number. */
  readonly orders: readonly (readonly [number, number])[]
}

const { TIERED_PREFIX = '', TIERED_TABLE = 'orders', TIERED_LOCAL_BYTES, TIERED_ASYNC } = process.env

class Joining implements Processor<string, CustomerEvent, string, Visit> {
  #context!: ProcessorContext<string, Visit>
  #orders!: TieredPrefixStore<string, number, number>

  init(context: ProcessorContext<string, Visit>): void {
    this.#context = context
    this.#orders = context.stateStore('orders')
  }

  process({ key, value, timestamp, headers }: StreamRecord<string, CustomerEvent>): void {
    if ('order' in value) {
      this.#orders.put(key, value.order, value.amount)
      return
    }
    const orders: [number, number][] = []
    for (const { key: order, value: amount } of this.#orders.scan(key)) orders.push([order, amount])
    this.#context.forward({ key, value: { visit: value.visit, orders }, timestamp, headers })
  }
}

type OrderRows = readonly TieredPrefixRow<number, number>[]

class LoadingAndJoining implements AsyncProcessor<string, CustomerEvent, string, Visit, OrderRows> {
  process({ key, value }: StreamRecord<string, CustomerEvent>, context: AsyncContext): Promise<OrderRows> {
    if ('order' in value) return Promise.resolve([])
    return context.stateStore<TieredPrefixStore<string, number, number>>('orders').load(key)
  }

  complete(
    { key, value, timestamp, headers }: StreamRecord<string, CustomerEvent>,
    rows: OrderRows,
    context: ProcessorContext<string, Visit>,
  ): void {
    if ('order' in value) {
      const orders = context.stateStore<TieredPrefixStore<string, number, number>>('orders')
      orders.put(key, value.order, value.amount)
      return
    }
    const orders = rows.map(({ key: order, value: amount }) => [order, amount] as const)
    context.forward({ key, value: { visit: value.visit, orders }, timestamp, headers })
  }
}

const topology = new Topology().addSource('events', {
  topics: `${TIERED_PREFIX}events`,
  key: serdes.string,
  value: serdes.json<CustomerEvent>(),
})
if (TIERED_ASYNC === undefined)
  topology.addProcessor('joining', () => new Joining(), { parents: 'events', readsByKey: ['orders'] })
else topology.addAsyncProcessor('joining', () => new LoadingAndJoining(), { parents: 'events' })

export default topology
  .addStateStore(
    stores.tieredByPrefix({
      name: 'orders',
      prefix: serdes.string,
      rest: serdes.int32,
      value: serdes.int32,
      table: TIERED_TABLE,
      ...(TIERED_LOCAL_BYTES !== undefined && { localBytesMax: Number(TIERED_LOCAL_BYTES) }),
    }),
    'joining',
  )
  .addSink('visited', {
    parents: 'joining',
    topic: `${TIERED_PREFIX}visited`,
    key: serdes.string,
    value: serdes.json<Visit>(),
  })
