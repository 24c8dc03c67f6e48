/** JSON Schema and Protocol Buffers on every way: read, written, and in a store. FORMATS_PREFIX begins the names of its topics. */
import { defineTopology, serdes } from '../../../src/index.ts'
import { orderProto, orderReferences, orderSchema } from '../format-schemas.ts'

interface Order {
  readonly id: number
  readonly price: { readonly cents: number }
}

const { FORMATS_PREFIX = '' } = process.env
const references = orderReferences(FORMATS_PREFIX)
const inJson = serdes.jsonSchema<Order>(orderSchema, { references: [references.json], validateReads: true })
const inProtobuf = serdes.protobuf<Order>(orderProto, {
  message: 'shop.Order',
  references: [references.protobuf],
})

export default defineTopology((builder) => {
  for (const [name, read, written] of [
    ['json', inJson, inProtobuf],
    ['protobuf', inProtobuf, inJson],
  ] as const) {
    builder
      .stream(`${FORMATS_PREFIX}${name}`, { key: serdes.string, value: read })
      .groupByKey()
      .reduce((sum, { id, price }) => ({ id, price: { cents: sum.price.cents + price.cents } }), {
        store: `${name}-sums`,
      })
      .toStream()
      .to(`${FORMATS_PREFIX}${name}-out`, { value: written })
  }
})
