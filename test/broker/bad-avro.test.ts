/**
 * Records of Avro with everything that can be wrong with them, among good ones: none ends a worker, and under `continue` each is in the dead-letter topic as it came.
 * What a registry that is away does: avro.test.ts.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  produceAll,
  type ReadRecord,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { type RegistryService, startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { badAvroSchemas } from '../support/bad-avro.ts'
import { encode, register } from '../support/registry-client.ts'
import { WeirProcess } from '../support/weir-process.ts'

const LARGE_BYTES = 50 * 2 ** 20
const RECORD_BYTES_MAX = 60 * 2 ** 20
const MEMORY_BYTES = 2 * 2 ** 30

const plain = {
  id: 'good',
  at: 5,
  isNew: true,
  kind: 'B',
  tags: ['x'],
  blob: Buffer.from('blob'),
  next: null,
}

interface Bad {
  readonly value: Buffer
  /** Default: a good one. */
  readonly key?: Buffer
  readonly cause: RegExp
}

describe('bad records of Avro', () => {
  let kafka: KafkaService
  let registry: RegistryService
  const scratch = makeScratchDir('bad-avro')
  before(async () => {
    ;[kafka, registry] = await Promise.all([startKafka(), startRegistry()])
  })
  after(async () => {
    await kafka?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  for (const guarantee of ['at_least_once', 'exactly_once_v2']) {
    test(`${guarantee}: each is dead-lettered, and all others are processed`, async () => {
      const prefix = `${guarantee}-`
      const topic = (name: string): string => `${prefix}${name}`
      const { bootstrapServers } = kafka
      const names = ['events', 'told', 'rounded', 'longs', 'copies', 'letters'].map(topic)
      await createTopics(bootstrapServers, Object.fromEntries(names.map((name) => [name, 1])), {
        'max.message.bytes': String(RECORD_BYTES_MAX),
      })
      const keyId = await register(registry.url, `${topic('events')}-key`, 'string')
      const id = await register(registry.url, `${topic('events')}-value`, badAvroSchemas.event)
      const otherId = await register(registry.url, topic('others'), badAvroSchemas.incompatible)
      const longId = await register(registry.url, `${topic('longs')}-value`, badAvroSchemas.long)

      const framed = (schemaId: number, ...parts: (Buffer | number[])[]): Buffer => {
        const header = Buffer.alloc(5)
        header.writeInt32BE(schemaId, 1)
        return Buffer.concat([header, ...parts.map((part) => Buffer.from(part))])
      }
      const good = (more: object = {}): Buffer => encode(id, badAvroSchemas.event, { ...plain, ...more })
      const goodKey = encode(keyId, 'string', 'key')
      const whole = good()
      const replaced = (from: number[], to: number[]): Buffer => {
        const at = whole.indexOf(Buffer.from(from))
        assert.ok(at > 0 && from.length === to.length)
        const bytes = Buffer.from(whole)
        Buffer.from(to).copy(bytes, at)
        return bytes
      }
      // id "good", at 5, isNew, kind B, tags of one.
      const middle = [0x0a, 1, 2, 2, 2]
      const nested = (depth: number): Buffer => {
        const outer = whole.subarray(5, -1)
        const levels = Buffer.alloc(outer.length * depth + depth)
        for (let level = 0, at = 0; level < depth; level++) {
          at += outer.copy(levels, at)
          levels[at++] = 2
        }
        return framed(id, levels, outer, [0])
      }
      const blob = randomBytes(LARGE_BYTES)
      const large = good({ id: 'large', blob })

      const bad: Record<string, Bad> = {
        'no bytes': {
          value: Buffer.alloc(0),
          cause: /a magic byte and a schema id are expected, not 0 bytes/,
        },
        'no magic byte': { value: Buffer.from('{"id": "good"}'), cause: /it begins with the byte 123/ },
        'an id and nothing else': { value: framed(id), cause: /the bytes end in the middle of a value/ },
        'half an id': {
          value: whole.subarray(0, 3),
          cause: /a magic byte and a schema id are expected, not 3/,
        },
        'an unknown id': { value: framed(999_999, whole.subarray(5)), cause: /has no schema of id 999999/ },
        'an id below 0': { value: framed(-2, whole.subarray(5)), cause: /has no schema of id -2/ },
        'an incompatible schema': {
          value: framed(otherId, whole.subarray(10)),
          cause: /cannot be read as the reader's schema: no matching field for default-less Event\.id/,
        },
        truncated: { value: whole.subarray(0, -4), cause: /the bytes end in the middle of a value/ },
        'a byte too much': {
          value: Buffer.concat([whole, Buffer.from([0])]),
          cause: /ends 1 bytes before its end/,
        },
        'a branch that does not exist': {
          value: Buffer.concat([whole.subarray(0, -1), Buffer.from([4])]),
          cause: /invalid union index: 2/,
        },
        'a symbol that does not exist': {
          value: replaced(middle, [0x0a, 1, 4, 2, 2]),
          cause: /invalid enum index: 2/,
        },
        'no boolean': { value: replaced(middle, [0x0a, 2, 2, 2, 2]), cause: /a boolean is 0 or 1, not 2/ },
        'no UTF-8': {
          value: replaced([...Buffer.from('good')], [0xff, 0, 0, 0]),
          cause: /the bytes are not UTF-8/,
        },
        'more values than bytes': {
          value: replaced(middle, [0x0a, 1, 2, 0x7e, 2]),
          cause: /a block of 63 values in \d+ bytes/,
        },
        'a long beyond 2^53': {
          value: framed(id, whole.subarray(5, 10), long(2n ** 53n + 1n), whole.subarray(11)),
          cause: /9007199254740993 is beyond 2\^53: read it with \{ longs: 'bigint' \}/,
        },
        'nested without end': { value: nested(200_000), cause: /the value is nested too deeply/ },
        'a key of another schema': {
          value: whole,
          key: framed(id, whole.subarray(5)),
          cause: /the key .* is no avro string/,
        },
        '50 MB, truncated': { value: large.subarray(0, -1), cause: /the bytes end in the middle of a value/ },
        'an output beyond 2^53': {
          value: good({ id: 'unwritable' }),
          cause: /at: 9007199254740992 is no long within 2\^53/,
        },
      }
      const told = (id: string, depth: number, bytes: number) => ({ id, at: 5, depth, bytes })
      const fine: [value: Buffer, told: object][] = [
        [nested(1_000), told('good', 1_000, 4)],
        [large, told('large', 0, LARGE_BYTES)],
        [good({ id: 'last', blob: Buffer.alloc(0) }), told('last', 0, 0)],
      ]
      // A good one before each bad one.
      const events = [
        ...Object.entries(bad).flatMap(([name, one]) => [
          { name: '', key: goodKey, value: whole },
          { name, key: goodKey, ...one },
        ]),
        ...fine.map(([value]) => ({ name: '', key: goodKey, value })),
      ]
      const longs = [2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 0n]
      await produceAll(
        bootstrapServers,
        [
          ...events.map(({ name, key, value }) => ({
            topic: topic('events'),
            key,
            value,
            headers: [{ name }],
          })),
          ...longs.map((value) => ({ topic: topic('longs'), key: 'k', value: framed(longId, long(value)) })),
        ].map((record) => ({ timestamp: 1, ...record })),
        { 'message.max.bytes': RECORD_BYTES_MAX },
      )
      await using worker = await WeirProcess.start({
        module: 'test/support/topologies/bad-avro.ts',
        applicationId: topic('app'),
        bootstrapServers,
        stateDir: scratch,
        env: {
          AVRO_PREFIX: prefix,
          WEIR_PROCESSING_GUARANTEE: guarantee,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '500',
          WEIR_MEMORY_BYTES: String(MEMORY_BYTES),
          WEIR_PRODUCER_MESSAGE_MAX_BYTES: String(RECORD_BYTES_MAX),
          WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
          WEIR_PRODUCTION_EXCEPTION_HANDLER: 'continue',
          WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: topic('letters'),
          WEIR_SCHEMA_REGISTRY_URL: registry.url,
          WEIR_SCHEMA_AUTO_REGISTER: 'true',
        },
      })
      const inputs = [topic('events'), topic('longs')]
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, topic('app'), inputs, { timeoutMs: 90_000 }),
      )
      assert.ok(!worker.output.includes('a stream thread has failed'), worker.output)
      await worker.stop()

      const results = await readToEnd(bootstrapServers, topic('told'))
      const bads = Object.keys(bad).length
      assert.deepEqual(
        results.map(({ value }) => JSON.parse(value!.toString()) as object),
        [
          ...Array.from({ length: bads }, () => told('good', 0, 4)),
          // Its other output is what could not be written.
          told('unwritable', 0, 4),
          ...fine.map(([, one]) => one),
        ],
      )
      const letters = await readToEnd(bootstrapServers, topic('letters'))
      const header = (letter: ReadRecord, name: string): string | undefined =>
        letter.headers.find(([key]) => key === name)?.[1]?.toString()
      assert.deepEqual(
        letters.map((letter) => header(letter, 'name')),
        Object.keys(bad),
      )
      for (const letter of letters) {
        const name = header(letter, 'name')!
        const { value, key = goodKey, cause } = bad[name]!
        assert.match(header(letter, '__streams.errors.message')!, cause, name)
        assert.ok(letter.value!.equals(value) && letter.key!.equals(key), `${name}: not as it came`)
      }
      const copies = await readToEnd(bootstrapServers, topic('copies'))
      assert.deepEqual(
        copies.map(({ value }) => value!.subarray(5).toString('hex')),
        longs.map((value) => long(value).toString('hex')),
      )
      assert.deepEqual(await readToEnd(bootstrapServers, topic('rounded')), [])
    })
  }
})

/** A zigzag varint, written by hand. */
function long(value: bigint): Buffer {
  const bytes: number[] = []
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; zigzag > 0x7fn; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(zigzag)])
}
