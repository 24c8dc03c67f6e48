/** What must flow through chains of operators, and what must not. Checked by tsc alone; nothing here runs. */
import { defineTopology, JoinWindows, minutes, SessionWindows, serdes, TimeWindows } from '../../src/index.ts'
import { check, type Equal } from './check.ts'

interface Order {
  readonly item: string
  readonly amount: number
}

interface Customer {
  readonly name: string
  readonly country: string
}

const orderOptions = { key: serdes.string, value: serdes.json<Order>() }

export default defineTopology((builder) => {
  const orders = builder.stream('orders', orderOptions)
  const customers = builder.table('customers', { key: serdes.string, value: serdes.json<Customer>() })

  // Six operators: no type is written, and each sees what the one above gives.
  orders
    .filter(({ value }) => value.amount > 0)
    .join(customers, (order, customer) => ({ ...order, country: customer.country }))
    .mapValues((order, customerId) => {
      check<Equal<[typeof order.item, typeof order.country, typeof customerId], [string, string, string]>>()
      return { ...order, cents: order.amount * 100 }
    })
    .selectKey(({ value }) => value.country)
    .groupByKey({
      key: serdes.string,
      value: serdes.json<Order & { readonly country: string; readonly cents: number }>(),
    })
    .windowedBy(TimeWindows.of({ sizeMs: minutes(1) }))
    .aggregate({
      initializer: () => ({ cents: 0n }),
      aggregator: (sum, order, country) => {
        check<Equal<[typeof sum.cents, typeof order.cents, typeof country], [bigint, number, string]>>()
        return { cents: sum.cents + BigInt(order.cents) }
      },
      value: serdes.custom<{ cents: bigint }>({
        name: 'cents',
        serialize: ({ cents }) => Buffer.from(String(cents)),
        deserialize: (bytes) => ({ cents: BigInt(bytes.toString()) }),
      }),
    })
    .toStream()
    .map(({ key, value }) => {
      check<Equal<[typeof key.key, typeof key.window.end, typeof value.cents], [string, number, bigint]>>()
      return { key: key.key, value: Number(value.cents) }
    })
    .to('revenue', { key: serdes.string, value: serdes.float64 })

  const chain = orders
    .mapValues(({ amount }) => amount)
    .filterNot(({ value }) => value < 0)
    .flatMapValues((amount) => [amount, amount / 2])
    .peek(({ value }) => value.toFixed())
    .selectKey(({ value }) => Math.floor(value))
  // The end of a chain of five, with serdes of other types than those that came through it.
  chain.to('amounts', { key: serdes.int32, value: serdes.float64 })
  // @ts-expect-error: the values are numbers
  chain.to('amounts', { key: serdes.int32, value: serdes.string })
  // @ts-expect-error: the keys are numbers
  chain.to('amounts', { key: serdes.string, value: serdes.float64 })
  // @ts-expect-error: the values have lost their serde on the way
  chain.to('amounts', { key: serdes.int32 })
  // @ts-expect-error: the keys have
  chain.to('amounts', { value: serdes.float64 })
  // @ts-expect-error: the repartition topic's values are numbers
  chain.groupByKey({ key: serdes.int32, value: serdes.json<Order>() })
  chain.groupByKey({ key: serdes.int32, value: serdes.float64 }).aggregate({
    // @ts-expect-error: the aggregate is text, by its first value, and a number by its serde
    initializer: () => '',
    aggregator: (text, amount) => text + amount,
    value: serdes.int32,
  })

  // What a joiner is given, and what becomes of what it returns.
  // @ts-expect-error: a customer has no amount
  orders.join(customers, (_order, customer) => customer.amount)
  // @ts-expect-error: an order has no country
  orders.join(customers, (order) => order.country)
  // @ts-expect-error: there may be no customer
  orders.leftJoin(customers, (_order, customer) => customer.name)
  // @ts-expect-error: the joined values are text
  orders.join(customers, (_order, { name }) => name).to('names', { value: serdes.int32 })
  // @ts-expect-error: a joined value's serde is not known
  orders.join(customers, (order) => order).to('orders')
  const windows = JoinWindows.of({ timeDifferenceMs: minutes(1) })
  // @ts-expect-error: the other stream's serde, of the wrong type
  orders.join(chain.selectKey(String), () => '', windows, { otherValue: serdes.string })
  // @ts-expect-error: the other order has no name
  orders.join(orders, (_order, other) => other.name, windows)
  // @ts-expect-error: streams of other keys
  orders.join(chain, () => '', windows, { otherValue: serdes.float64 })

  // Sessions, through a join of tables.
  const visits = orders
    .groupByKey()
    .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
    .count()
  // @ts-expect-error: the keys of one are windowed
  customers.join(visits, (customer) => customer)
  // @ts-expect-error: a store of another type than the joiner's result
  customers.leftJoin(customers, ({ name }) => name, { store: 'names', value: serdes.int32 })
})
