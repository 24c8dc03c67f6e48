/** Orders with the customers that they name, and with their shops, which may be unknown: for a test that kills them. */
import { defineTopology, serdes } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

/** Orders are `<customer>|<n>`. */
export const customerOf = (order: string): string | null => order.split('|')[0] || null

export default defineTopology((builder) => {
  const orders = builder.table('orders', text)
  const customers = builder.table('customers', text)
  orders
    .join(customers, (order, customer) => `${order}+${customer}`, {
      foreignKey: customerOf,
      store: 'joined',
      value: serdes.string,
    })
    .toStream()
    .to('inner')
  orders
    .leftJoin(customers, (order, customer) => `${order}+${customer}`, {
      foreignKey: customerOf,
      name: 'left',
    })
    .toStream()
    .to('left', text)
})
