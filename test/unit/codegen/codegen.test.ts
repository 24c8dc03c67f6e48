import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { runCodegen } from '../../../src/cli/codegen-command.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { makeScratchDir } from '../../services/scratch-dir.ts'
import { AvroBench, bytesOf, readBack } from '../../support/bound-avro.ts'

const root = resolve(import.meta.dirname, '../../..')

const address = {
  type: 'record',
  name: 'Address',
  namespace: 'shop',
  fields: [
    { name: 'city', type: 'string' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['HOME', 'WORK'] } },
  ],
}
const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  doc: 'What a customer ordered.\n\nOne each.',
  fields: [
    { name: 'id', type: 'long', doc: 'Unique. /* and */ too' },
    { name: 'placedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'seenAt', type: { type: 'long', logicalType: 'timestamp-nanos' } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 8, scale: 2 } },
    { name: 'term', type: { type: 'fixed', name: 'Term', size: 12, logicalType: 'duration' } },
    { name: 'digest', type: { type: 'fixed', name: 'Md5', size: 16 } },
    { name: 'shipTo', type: ['null', 'shop.Address'], default: null },
    { name: 'amount', type: ['null', 'int', 'double'] },
    { name: 'lines', type: { type: 'array', items: ['string', 'null'] } },
    { name: 'tags', type: { type: 'map', values: { type: 'array', items: 'boolean' } } },
    { name: 'parts', type: { type: 'array', items: 'Order' }, default: [] },
    { name: 'package', type: { type: 'record', name: 'any', fields: [] } },
  ],
}

function write(files: Record<string, unknown>): { dir: string; paths: string[]; out: string } {
  const dir = makeScratchDir('codegen')
  const paths = Object.entries(files).map(([name, content]) => {
    const path = join(dir, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  })
  return { dir, paths, out: join(dir, 'generated') }
}

/** A default that is no number of JavaScript. */
const MOST =
  '{"type":"record","name":"Most","fields":[{"name":"most","type":"long","default":9223372036854775807}]}'

const noSubjects = { subjects: [], longs: 'number' } as const

test('what is written', async () => {
  const { paths, out } = write({ 'order.avsc': order, 'address.avsc': address })
  const written = await runCodegen({ files: paths, out, ...noSubjects })
  assert.deepEqual(written, [join(out, 'order.ts'), join(out, 'address.ts')])
  const text = readFileSync(written[0]!, 'utf8')
  const [types, schema] = text.split('\n/** For serdes.avro. */\n') as [string, string]
  assert.equal(schema, `export const orderSchema: AvroSchemaOf<Order> = ${JSON.stringify(order, null, 2)}\n`)
  assert.equal(
    types,
    `// Written by weir codegen from order.avsc. What is changed here is lost.
import type { AvroDuration, AvroSchemaOf } from 'weir'

/**
 * What a customer ordered.
 *
 * One each.
 */
export interface Order {
  /** Unique. /* and *\\/ too */
  readonly id: number
  readonly placedAt: number
  readonly seenAt: bigint
  readonly day: number
  readonly price: string
  readonly term: AvroDuration
  readonly digest: Md5
  readonly shipTo: null | Address
  readonly amount: null | { readonly int: number } | { readonly double: number }
  readonly lines: readonly (string | null)[]
  readonly tags: { readonly [key: string]: readonly boolean[] }
  readonly parts: readonly Order[]
  readonly package: any_
}

export type Md5 = Buffer

export interface Address {
  readonly city: string
  readonly kind: Kind
}

export type any_ = { readonly [field: string]: never }

export type Kind = 'HOME' | 'WORK'
`,
  )
  await runCodegen({ files: paths, out, ...noSubjects })
  assert.equal(readFileSync(written[0]!, 'utf8'), text, 'the same each time')
})

/** What the files use of Weir: to compile all of it takes long. */
const weir = `export type { AvroDuration } from '${root}/src/serde/avro/logical-types.ts'
export type { AvroSchemaOf } from '${root}/src/serde/avro/typed-schema.ts'
export type { Serde } from '${root}/src/serde/serde.ts'
export { serdes } from '${root}/src/serde/serdes.ts'
`

/** Compiles what is in a folder, with the project's settings. @returns what the compiler says */
function compile(dir: string): string {
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        paths: { weir: [join(dir, 'weir.ts')] },
        rewriteRelativeImportExtensions: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: ['.', join(root, 'src/**/*.d.ts')],
      exclude: [],
    }),
  )
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'weir.ts'), weir)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', dir], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  return status === 0 ? '' : stdout
}

test('the files compile under strict settings, and a serde of a schema has its type', async () => {
  const { dir, paths, out } = write({
    'order.avsc': order,
    'address.avsc': address,
    'texts.avsc': { type: 'array', items: 'string' },
    'some.avsc': ['null', 'string'],
    'plain.avsc': '"long"',
    'most.avsc': MOST,
    'check.ts': `import { type Serde, serdes } from 'weir'
import { type Order, type Kind, orderSchema } from './generated/order.ts'
import { textsSchema } from './generated/texts.ts'
import { someSchema } from './generated/some.ts'
import { plainSchema } from './generated/plain.ts'
import { type Order as BigOrder, orderSchema as bigOrderSchema } from './big/order.ts'
import { type Most, mostSchema } from './big/most.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function check<_T extends true>(): void

const orders = serdes.avro(orderSchema)
check<Equal<typeof orders, Serde<Order>>>()
const references = [{ name: 'shop.Address', subject: 'address', version: 1 }]
const withOptions = serdes.avro(orderSchema, { references, subjectStrategy: 'record' })
check<Equal<typeof withOptions, Serde<Order>>>()
const texts = serdes.avro(textsSchema)
check<Equal<typeof texts, Serde<readonly string[]>>>()
const some = serdes.avro(someSchema)
check<Equal<typeof some, Serde<string | null>>>()
const plain = serdes.avro(plainSchema)
check<Equal<typeof plain, Serde<number>>>()

check<Equal<Kind, 'HOME' | 'WORK'>>()
check<Equal<Order['id'], number>>()
check<Equal<BigOrder['id'], bigint>>()
check<Equal<BigOrder['placedAt'], number>>()
check<Equal<Order['parts'][number], Order>>()
const bigOrders = serdes.avro(bigOrderSchema, { longs: 'bigint' })
check<Equal<typeof bigOrders, Serde<BigOrder>>>()
const most = serdes.avro(mostSchema, { longs: 'bigint' })
check<Equal<typeof most, Serde<Most>>>()
// @ts-expect-error: its longs are bigints
serdes.avro(bigOrderSchema)
// @ts-expect-error: its longs are numbers
serdes.avro(orderSchema, { longs: 'bigint' })

// As without codegen.
check<Equal<ReturnType<typeof serdes.json<string>>, Serde<string>>>()
const named = serdes.avro<{ readonly a: string }>('{}', { longs: 'bigint' })
check<Equal<typeof named, Serde<{ readonly a: string }>>>()
const unnamed = serdes.avro({ type: 'string' })
check<Equal<typeof unnamed, Serde<unknown>>>()
const latest = serdes.avro<string>({ subject: 'x' })
check<Equal<typeof latest, Serde<string>>>()
`,
  })
  const files = paths.filter((path) => path.endsWith('.avsc'))
  const numbers = files.filter((path) => !path.endsWith('most.avsc'))
  await runCodegen({ files: numbers, out, ...noSubjects })
  await runCodegen({ files, out: join(dir, 'big'), subjects: [], longs: 'bigint' })
  assert.equal(compile(dir), '')
})

test('a schema with a default that JavaScript would round is written as its text', async () => {
  const { paths, out } = write({ 'most.avsc': MOST })
  const [path] = await runCodegen({ files: paths, out, subjects: [], longs: 'bigint' })
  const { mostSchema } = (await import(pathToFileURL(path!).href)) as { mostSchema: string }
  assert.equal(mostSchema, MOST)
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<object>(mostSchema, { longs: 'bigint' }))
  assert.deepStrictEqual(readBack(serde, bytesOf(serde, {})), { most: 2n ** 63n - 1n })
  await assert.rejects(runCodegen({ files: paths, out, ...noSubjects }), {
    message: /most\.avsc: no Avro schema: incompatible field default/,
  })
})

test('the constant is the schema: a serde of it reads what it wrote', async () => {
  const { paths, out } = write({ 'Kept.avsc': { ...address, name: 'Kept' } })
  const [path] = await runCodegen({ files: paths, out, ...noSubjects })
  const { keptSchema } = (await import(pathToFileURL(path!).href)) as { keptSchema: object }
  const serde = new AvroBench().bind(serdes.avro(keptSchema as never))
  const value = { city: 'Graz', kind: 'HOME' }
  assert.deepEqual(readBack(serde, bytesOf(serde, value)), value)
})

test('what cannot be written has one line, and then nothing is written', async () => {
  const status = (namespace: string) => ({ type: 'enum', name: 'Status', namespace, symbols: ['A'] })
  const colliding = {
    type: 'record',
    name: 'Both',
    fields: [
      { name: 'one', type: status('a') },
      { name: 'other', type: status('b') },
    ],
  }
  const using = (name: string, other: string) => ({
    type: 'record',
    name,
    fields: [{ name: 'x', type: other }],
  })
  const cases: [Record<string, unknown>, RegExp][] = [
    [
      { 'good.avsc': address, 'both.avsc': colliding },
      /^both\.avsc: a\.Status and b\.Status would both be Status in TypeScript$/,
    ],
    [{ 'broken.avsc': '{' }, /broken\.avsc: no JSON: /],
    [{ 'wrong.avsc': { type: 'recrod' } }, /wrong\.avsc: no Avro schema: /],
    [{ 'lonely.avsc': using('Lonely', 'Nobody') }, /lonely\.avsc: no Avro schema: .*Nobody$/],
    [
      { 'one.avsc': using('One', 'Two'), 'two.avsc': using('Two', 'One') },
      /one\.avsc and .*two\.avsc use each other's names: put them into one file$/,
    ],
    [{ 'a.avsc': address, 'b.avsc': address }, /a\.avsc and .*b\.avsc both have shop\.Address$/],
  ]
  for (const [files, message] of cases) {
    const { paths, out } = write(files)
    await assert.rejects(runCodegen({ files: paths, out, ...noSubjects }), {
      code: 'config-invalid',
      message,
    })
    assert.ok(!existsSync(out))
  }
  const { dir, out } = write({})
  const run = (files: string[]) => runCodegen({ files, out, ...noSubjects })
  await assert.rejects(run([]), /^WeirError: codegen: \.avsc files or --subject are expected$/)
  await assert.rejects(run([join(dir, 'none.avsc')]), /none\.avsc: cannot be read: /)
  assert.deepEqual(readdirSync(dir), [])
})

test('without a registry a subject has one line', async () => {
  const { out } = write({})
  await assert.rejects(runCodegen({ files: [], subjects: ['x'], out, longs: 'number' }, {}), {
    problems: ['WEIR_SCHEMA_REGISTRY_URL is not set: schemas are needed that are in a schema registry'],
  })
})
