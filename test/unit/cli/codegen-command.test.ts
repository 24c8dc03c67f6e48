import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

import { generateTypes } from '../../../src/cli/codegen-command.ts'
import { makeScratchDir } from '../../services/scratch-dir.ts'

const money = {
  type: 'record',
  name: 'shop.Money',
  doc: 'An amount.',
  fields: [{ name: 'cents', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } }],
}
const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: { type: 'string', logicalType: 'uuid' }, doc: 'Of the order,\nfor ever.' },
    { name: 'price', type: 'Money' },
    { name: 'count', type: 'long' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID'] } },
    { name: 'other', type: { type: 'enum', name: 'other.State', symbols: ['X'] } },
    { name: 'notes', type: ['null', { type: 'array', items: ['null', 'string'] }], default: null },
    { name: 'weights', type: { type: 'map', values: ['int', 'double', 'shop.Money'] } },
    { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 4 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-nanos' } },
    { name: 'before', type: ['null', 'Order'] },
  ],
}

const expected = `// Made by weir codegen.

/** An amount. */
export interface Money {
  readonly cents: string
}

/** \`shop.Order\` */
export interface Order {
  /** Of the order, for ever. */
  readonly id: string
  readonly price: Money
  readonly count: number
  readonly state: State
  readonly other: other_State
  readonly notes: null | readonly (null | string)[]
  readonly weights: Readonly<Record<string, { readonly int: number } | { readonly double: number } | { readonly 'shop.Money': Money }>>
  readonly digest: Digest
  readonly at: bigint
  readonly before: null | Order
}

/** \`shop.State\` */
export type State = 'OPEN' | 'PAID'

/** \`other.State\` */
export type other_State = 'X'

/** \`shop.Digest\` */
export type Digest = Buffer
`

test('types of .avsc files', async () => {
  const dir = makeScratchDir('codegen')
  const files = ['money.avsc', 'order.avsc'].map((name) => join(dir, name))
  writeFileSync(files[0]!, JSON.stringify(money))
  writeFileSync(files[1]!, JSON.stringify(order))
  const out = join(dir, 'types.ts')
  assert.equal(await generateTypes({ files, subjects: [], out, longs: 'number' }), '')
  const text = readFileSync(out, 'utf8')
  assert.equal(text.slice(0, expected.length), expected)
  const module = (await import(out)) as Record<string, unknown>
  assert.deepEqual({ ...module }, { moneySchema: money, orderSchema: order })
  const bigints = await generateTypes({ files, subjects: [], out: null, longs: 'bigint' })
  assert.match(bigints, /readonly count: bigint\n/)
})

test('what is no schema is named by its file', async () => {
  const dir = makeScratchDir('codegen-bad')
  const refused = async (name: string, text: string | null, message: RegExp): Promise<void> => {
    const file = join(dir, name)
    if (text !== null) writeFileSync(file, text)
    const options = { files: [file], subjects: [], out: null, longs: 'number' } as const
    await assert.rejects(generateTypes(options), { code: 'config-invalid', message })
  }
  await refused('none.avsc', null, /none.avsc: cannot be read/)
  await refused('text.avsc', '{"type"', /text.avsc: no Avro schema/)
  await refused(
    'unknown.avsc',
    '{"type": "record", "name": "X", "fields": [{"name": "f", "type": "Y"}]}',
    /undefined type name: Y/,
  )
  await refused('nameless.avsc', '"string"', /nameless.avsc: types are made of schemas with a name/)
  const nothing = { files: [], subjects: [], out: null, longs: 'number' } as const
  await assert.rejects(generateTypes(nothing), { message: /expected .avsc files, or --subject/ })
  await assert.rejects(generateTypes({ ...nothing, subjects: ['s'] }, {}), {
    message: 'WEIR_SCHEMA_REGISTRY_URL is not set',
  })
})
