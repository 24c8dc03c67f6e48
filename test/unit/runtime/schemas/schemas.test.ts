import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'

import { WeirError } from '../../../../src/errors/weir-error.ts'
import { Channel } from '../../../../src/runtime/channel.ts'
import type { SchemaRequests } from '../../../../src/runtime/protocol.ts'
import { schemaRequests } from '../../../../src/runtime/schemas/bound-topology.ts'
import { ProcessSchemas } from '../../../../src/runtime/schemas/process-schemas.ts'
import { answerThread, ThreadSchemas } from '../../../../src/runtime/schemas/thread-schemas.ts'
import { LocalSchemaRegistry } from '../../../../src/schema-registry/local-schema-registry.ts'
import type { PlacedNeed } from '../../../../src/topology/bind-serdes.ts'

const logged: string[] = []
const log = (_fields: object, message: string): void => void logged.push(message)
const logger = { debug: log, info: log, warn: log, error: log }
const options = { signal: new AbortController().signal, timeoutMs: 60_000 }

/** A registry that is away until it is said to be back, and that counts what it is asked. */
class FlakyRegistry extends LocalSchemaRegistry {
  isAway = false
  refuses = false
  asked = 0

  override async schema(id: number) {
    this.asked++
    await new Promise((resolve) => setImmediate(resolve))
    if (this.refuses) throw new WeirError('schema-registry-refused', 'the password is wrong')
    if (this.isAway) throw new WeirError('schema-registry-unreachable', 'it is away')
    return super.schema(id)
  }
}

function setUp(autoRegister: 'false' | 'internal' | 'true' = 'false') {
  const registry = new FlakyRegistry()
  const schemas = new ProcessSchemas({ registry, autoRegister, logger })
  return { registry, schemas }
}

function writerNeed(subject: string, isInternal: boolean): PlacedNeed {
  const place = { topic: 'topic', part: 'value', use: 'sink', isInternal } as const
  return {
    place,
    need: { kind: 'writer', subject, type: 'AVRO', schema: '"int"', references: [], isInternal },
  }
}

test('a schema is asked for once, however many threads wait, until the registry answers, and kept', async () => {
  const { registry, schemas } = setUp()
  const { id } = registry.add('subject', '"int"')
  registry.isAway = true
  const answers = [schemas.schema(id), schemas.schema(id), schemas.schema(id)]
  while (schemas.usage().retries < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  const away = schemas.usage()
  registry.isAway = false
  assert.deepEqual(new Set((await Promise.all(answers)).map((schema) => schema?.schema)), new Set(['"int"']))
  const { asked } = registry
  assert.deepEqual([away.known, away.awaited], [0, 1])
  assert.deepEqual(schemas.usage(), { known: 1, awaited: 0, retries: asked - 1 })
  assert.equal((await schemas.schema(id))?.id, id)
  assert.equal(registry.asked, asked)
  const lines = logged.splice(0)
  assert.deepEqual(
    lines.map((line) => line.split(';')[0]),
    ['the schema registry cannot be reached', 'the schema registry answers again'],
  )
  await schemas.close()
})

test('an id that the registry does not have is not asked for again at once', async () => {
  const { registry, schemas } = setUp()
  assert.equal(await schemas.schema(5), null)
  assert.equal(await schemas.schema(5), null)
  assert.equal(registry.asked, 1)
})

test('what is written is registered as the setting says', async () => {
  for (const [autoRegister, isInternal, isThere] of [
    ['false', true, false],
    ['internal', false, false],
    ['internal', true, true],
    ['true', false, true],
  ] as const) {
    const { registry, schemas } = setUp(autoRegister)
    const prepared = schemas.prepare([writerNeed('subject', isInternal)], options)
    if (isThere) assert.equal((await prepared).answers.size, 1)
    else
      await assert.rejects(prepared, {
        code: 'schema-missing',
        message:
          /^values of topic: subject subject does not have the schema that is written, in the local schema registry; register it, or set WEIR_SCHEMA_AUTO_REGISTER=/,
      })
    assert.equal(registry.latestNow('subject') !== null, isThere)
  }
})

test('a subject or a version that is not there is named', async () => {
  const { schemas } = setUp()
  const { place } = writerNeed('subject', false)
  const prepare = (need: PlacedNeed['need']) => schemas.prepare([{ place, need }], options)
  await assert.rejects(prepare({ kind: 'latest', subject: 's' }), {
    message: /values of topic: subject s has no schema in/,
  })
  await assert.rejects(prepare({ kind: 'version', subject: 's', version: 3 }), {
    message: /subject s has no version 3 in/,
  })
  assert.deepEqual((await prepare({ kind: 'all', subject: 's' })).storeSubjects, ['s'])
})

/** A thread that asks as stream threads do. */
async function inWorker(registry: FlakyRegistry, script: string): Promise<unknown> {
  const { schemas } = { schemas: new ProcessSchemas({ registry, autoRegister: 'true', logger }) }
  const known = registry.add('known', '"string"')
  const { port1, port2 } = new MessageChannel()
  const channel = new Channel<Record<string, never>, SchemaRequests, unknown>(port1, {
    schema: (request) => answerThread(request, (id) => schemas.schema(id)),
    schemas: ({ subjects }) => schemas.newest(subjects),
  })
  const worker = new Worker(new URL('../../../support/schemas-worker.ts', import.meta.url), {
    workerData: {
      port: port2,
      script,
      answers: { schemas: [known], answers: new Map(), storeSubjects: ['known'] },
    },
    transferList: [port2],
  })
  const [result] = await once(worker, 'message')
  await worker.terminate()
  channel.close()
  await schemas.close()
  return result
}

test('a thread that cannot wait is blocked until the answer is there', async () => {
  const registry = new FlakyRegistry()
  registry.add('a', '"int"')
  registry.add('b', '"long"')
  assert.deepEqual(await inWorker(registry, 'now 1 2 99'), ['"int"', '"long"', null])
})

test('but not for ever', async () => {
  const registry = new FlakyRegistry()
  registry.isAway = true
  assert.match(
    String(await inWorker(registry, 'now 1')),
    /^schema-registry-unreachable: schema 1 is not known yet, and the schema registry has not answered for 300 ms/,
  )
  logged.length = 0
})

test('a thread that can wait does, and learns what others have registered for its stores', async () => {
  const registry = new FlakyRegistry()
  registry.add('a', '"int"')
  registry.add('known', '"double"')
  assert.deepEqual(await inWorker(registry, 'await 1'), [undefined, '"int"'])
  assert.deepEqual(await inWorker(registry, 'refresh 2'), [undefined, '"double"'])
})

test('a thread whose main thread is gone is not left waiting', async () => {
  const { port1, port2 } = new MessageChannel()
  const channel = new Channel<SchemaRequests, never, never>(port1, {} as never)
  const answers = { schemas: [], answers: new Map(), storeSubjects: [] }
  const schemas = new ThreadSchemas(answers, schemaRequests(channel), 100)
  port2.close()
  await schemas.awaits(1)
  assert.equal(schemas.schema(1), undefined)
})

test('a thread is told that the registry refuses, which no waiting cures', async () => {
  const registry = new FlakyRegistry()
  registry.refuses = true
  assert.equal(await inWorker(registry, 'now 7'), 'schema-registry-refused: the password is wrong')
  // Who waits does not wait for ever, and learns it when the schema is read.
  assert.deepEqual(await inWorker(registry, 'await 7'), [undefined, undefined])
  logged.length = 0
})

test('a schema that was not there blocks nobody again: who can wait asks anew, who cannot takes the last answer', async () => {
  const registry = new LocalSchemaRegistry()
  let nowMs = 0
  let asked = 0
  const schemas = new ThreadSchemas(
    { schemas: [], answers: new Map(), storeSubjects: [] },
    {
      schema: async ({ id, reply }) => {
        assert.equal(reply, null, 'the thread is blocked')
        asked++
        return registry.schemaNow(id)
      },
      schemas: async () => [],
    },
    1,
    () => nowMs,
  )
  assert.equal(schemas.schema(1), undefined)
  await schemas.awaits(1)
  assert.equal(schemas.schema(1), null)
  assert.equal(schemas.awaits(1), null)
  nowMs = 10_000
  assert.equal(schemas.schema(1), null)
  assert.equal(schemas.schema(1), null)
  await schemas.awaits(1)
  assert.equal(asked, 2)
  assert.equal(schemas.awaits(1), null)
  nowMs = 20_000
  registry.add('subject', '"int"')
  assert.equal(schemas.schema(1), null)
  await schemas.awaits(1)
  assert.equal(schemas.schema(1)?.schema, '"int"')
  assert.equal(asked, 3)
})
