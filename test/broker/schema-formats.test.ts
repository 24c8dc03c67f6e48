/** JSON Schema and Protocol Buffers with a real registry and a real broker. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import protobuf from 'protobufjs'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { type RegistryService, startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import {
  orderProto,
  orderReferences,
  orderSchema,
  priceProto,
  priceSchema,
} from '../support/format-schemas.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const module = 'test/support/topologies/schema-formats.ts'

const plainModule = `import { defineTopology, serdes } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
export default defineTopology((builder) => {
  builder
    .stream('in', { key: serdes.string, value: serdes.string })
    .mapValues(() => ({ cents: 1 }))
    .to('plain', { value: serdes.jsonSchema(${JSON.stringify(priceSchema)}) })
})
`

/** Of this test's own: no code of Weir's. */
const orders = (() => {
  const root = new protobuf.Root()
  protobuf.parse(priceProto, root)
  protobuf.parse(orderProto, root)
  return root.lookupType('shop.Order')
})()

describe('JSON Schema and Protobuf', () => {
  let kafka: KafkaService
  let registry: RegistryService

  before(async () => {
    ;[kafka, registry] = await Promise.all([startKafka(), startRegistry()])
  })
  after(async () => {
    await kafka?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  async function ask(path: string, body?: object, method = 'POST'): Promise<Record<string, unknown>> {
    const response = await fetch(`${registry.url}${path}`, {
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      ...(body !== undefined && { method, body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Record<string, unknown>
    assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`)
    return answer
  }
  const register = async (subject: string, schemaType: string, schema: string, references: object[] = []) =>
    (await ask(`/subjects/${subject}/versions`, { schemaType, schema, references })).id as number

  /** 0x00, the id, the rest. */
  function record(id: number, ...rest: Uint8Array[]): Buffer {
    const header = Buffer.alloc(5)
    header.writeInt32BE(id, 1)
    return Buffer.concat([header, ...rest])
  }

  async function typeOf(value: Buffer): Promise<unknown> {
    assert.equal(value[0], 0)
    return (await ask(`/schemas/ids/${value.readInt32BE(1)}`)).schemaType
  }

  test('are read, kept in stores, written, and restored', async () => {
    const prefix = 'formats-'
    const topic = (name: string): string => `${prefix}${name}`
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, {
      [topic('json')]: 1,
      [topic('protobuf')]: 1,
      [topic('json-out')]: 1,
      [topic('protobuf-out')]: 1,
    })
    const references = orderReferences(prefix)
    await register(references.json.subject, 'JSON', JSON.stringify(priceSchema))
    await register(references.protobuf.subject, 'PROTOBUF', priceProto)
    const jsonId = await register(topic('json-value'), 'JSON', JSON.stringify(orderSchema), [references.json])
    const protobufId = await register(topic('protobuf-value'), 'PROTOBUF', orderProto, [references.protobuf])

    const order = (id: number, cents: number) => ({ id, price: { cents } })
    const json = (value: object): Buffer => record(jsonId, Buffer.from(JSON.stringify(value)))
    // Order is the second message of its file.
    const message = (value: object): Buffer =>
      record(protobufId, Buffer.from([2, 2]), orders.encode(orders.fromObject(value)).finish())
    const produce = (values: { topic: string; value: Buffer }[]) =>
      produceAll(
        bootstrapServers,
        values.map((one) => ({ key: 'a', timestamp: 1, ...one })),
      )
    const run = async (stateDir: string): Promise<void> => {
      await using worker = await WeirProcess.start({
        module,
        applicationId: 'formats',
        bootstrapServers,
        stateDir: makeScratchDir(stateDir),
        env: {
          FORMATS_PREFIX: prefix,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '100',
          WEIR_SCHEMA_REGISTRY_URL: registry.url,
          WEIR_SCHEMA_AUTO_REGISTER: 'true',
        },
      })
      await worker.ready()
      const inputs = [topic('json'), topic('protobuf')]
      await worker.whileRunning(waitUntilConsumed(bootstrapServers, 'formats', inputs, { timeoutMs: 60_000 }))
      await worker.stop()
    }

    await produce([
      { topic: topic('json'), value: json(order(1, 5)) },
      { topic: topic('json'), value: json(order(2, 6)) },
      { topic: topic('protobuf'), value: message(order(3, 7)) },
    ])
    await run('formats-1')
    // On another machine the sums come back from their changelogs.
    await produce([
      { topic: topic('json'), value: json(order(4, 100)) },
      { topic: topic('protobuf'), value: message(order(5, 200)) },
    ])
    await run('formats-2')

    const fromJson = (await readToEnd(bootstrapServers, topic('json-out'))).map(({ value }) => value!)
    for (const value of fromJson) assert.equal(await typeOf(value), 'PROTOBUF')
    assert.deepEqual(
      fromJson.map((value) => orders.toObject(orders.decode(value.subarray(7)), { longs: Number })),
      [order(1, 5), order(2, 11), order(4, 111)],
    )
    for (const value of fromJson) assert.deepEqual([...value.subarray(5, 7)], [2, 2])
    const fromProtobuf = (await readToEnd(bootstrapServers, topic('protobuf-out'))).map(({ value }) => value!)
    for (const value of fromProtobuf) assert.equal(await typeOf(value), 'JSON')
    assert.deepEqual(
      fromProtobuf.map((value) => JSON.parse(value.subarray(5).toString()) as object),
      [order(3, 7), order(5, 207)],
    )
  })

  test('weir schemas check tells what breaks the rule, of each type', async () => {
    const prefix = 'checked-'
    const references = orderReferences(prefix)
    await register(references.json.subject, 'JSON', JSON.stringify(priceSchema))
    await register(references.protobuf.subject, 'PROTOBUF', priceProto)
    await register(`${prefix}json-out-value`, 'PROTOBUF', orderProto.replace('int32 id', 'string id'), [
      references.protobuf,
    ])
    await ask(`/config/${prefix}json-out-value`, { compatibility: 'BACKWARD' }, 'PUT')
    // Without references: Apicurio's rule for JSON schemas does not follow them.
    const path = join(makeScratchDir('formats-module'), 'plain.ts')
    writeFileSync(path, plainModule)
    await register('plain-value', 'JSON', JSON.stringify({ ...priceSchema, type: 'array' }))
    await ask('/config/plain-value', { compatibility: 'BACKWARD' }, 'PUT')
    const plain = await runWeir(['schemas', 'check', path], {
      WEIR_APPLICATION_ID: 'checked',
      WEIR_SCHEMA_REGISTRY_URL: registry.url,
    })
    assert.equal(plain.code, 1)
    assert.match(plain.stdout, /^plain-value +JSON +incompatible +values of plain, written$/m)
    const { code, stdout, stderr } = await runWeir(['schemas', 'check', module, '--json'], {
      FORMATS_PREFIX: prefix,
      WEIR_APPLICATION_ID: 'checked',
      WEIR_SCHEMA_REGISTRY_URL: registry.url,
    })
    assert.ok(stdout.startsWith('['), stderr)
    const checked = JSON.parse(stdout) as { subject: string; type: string | null; verdict: string }[]
    const verdicts = Object.fromEntries(
      checked.map(({ subject, type, verdict }) => [subject, `${type} ${verdict}`]),
    )
    assert.deepEqual(verdicts, {
      [references.json.subject]: 'null registered',
      [references.protobuf.subject]: 'null registered',
      'checked-json-value': 'JSON new',
      'checked-protobuf-value': 'PROTOBUF new',
      'checked-json-out-value': 'PROTOBUF incompatible',
      'checked-protobuf-out-value': 'JSON new',
      'checked-json-sums-changelog-value': 'JSON new',
      'checked-protobuf-sums-changelog-value': 'PROTOBUF new',
    })
    assert.equal(code, 1)
  })

  test('weir codegen writes the types of a subject, with those that it refers to', async () => {
    const city = {
      type: 'record',
      name: 'City',
      namespace: 'geo',
      fields: [{ name: 'name', type: 'string' }],
    }
    const place = { type: 'record', name: 'Place', fields: [{ name: 'city', type: 'geo.City' }] }
    await register('city-value', 'AVRO', JSON.stringify(city))
    const reference = { name: 'geo.City', subject: 'city-value', version: 1 }
    await register('place-value', 'AVRO', JSON.stringify(place), [reference])
    await register('proto-value', 'PROTOBUF', priceProto)
    const out = join(makeScratchDir('formats-codegen'), 'generated')
    const codegen = (...args: string[]) =>
      runWeir(['codegen', '--out', out, ...args], { WEIR_SCHEMA_REGISTRY_URL: registry.url })
    const refused = [
      ['gone-value', 1, /^weir: subject gone-value has no schema in http:.*\n$/],
      ['proto-value', 2, /^weir: subject proto-value: its schema is PROTOBUF; AVRO is expected\n$/],
    ] as const
    for (const [subject, code, line] of refused) {
      const result = await codegen('--subject', 'place-value', subject)
      assert.equal(result.code, code)
      assert.match(result.stderr, line)
      assert.ok(!existsSync(out))
    }
    const { code, stdout } = await codegen('--subject', 'place-value')
    const path = join(out, 'place-value.ts')
    assert.deepEqual([code, stdout], [0, `${path}\n`])
    const text = readFileSync(path, 'utf8')
    const types = [
      'export interface Place {',
      '  readonly city: City',
      '}',
      '',
      'export interface City {',
      '  readonly name: string',
      '}',
    ]
    assert.ok(text.includes(types.join('\n')), text)
    assert.match(text, /^export const placeSchema: AvroSchemaOf<Place> = \{$/m)
  })
})
