/** What tiered stores by prefix take and give. */
import { serdes, stores, type TieredPrefixRow, type TieredPrefixStore } from '../../src/index.ts'
import { check, type Equal } from './check.ts'

declare const orders: TieredPrefixStore<string, number, { readonly amount: number }>

const found = orders.get('ann', 1)
check<Equal<typeof found, { readonly amount: number } | null>>()
orders.put('ann', 1, { amount: 2 })
orders.put('ann', 1, null)
for (const row of orders.scan('ann')) check<Equal<typeof row.key, number>>()
const loaded = await orders.load('ann')
check<Equal<typeof loaded, readonly TieredPrefixRow<number, { readonly amount: number }>[]>>()

// @ts-expect-error: the rest is a number
orders.get('ann', '1')
// @ts-expect-error: a row needs a rest
orders.get('ann')
// @ts-expect-error: a part of the rows is here
orders.all()
// @ts-expect-error: the key is a prefix and a rest
stores.tieredByPrefix({ name: 'orders', key: serdes.string, value: serdes.string })
const options = { name: 'o', prefix: serdes.string, rest: serdes.string, value: serdes.string }
// @ts-expect-error: its changelog is what a task replays
stores.tieredByPrefix({ ...options, logging: false })
