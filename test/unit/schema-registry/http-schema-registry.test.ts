import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'

import { renderMetrics } from '../../../src/observe/render-metrics.ts'
import { SchemaMetrics } from '../../../src/observe/schema-metrics.ts'
import { HttpSchemaRegistry } from '../../../src/schema-registry/http-schema-registry.ts'
import type { RegistrySettings } from '../../../src/schema-registry/registry-settings.ts'
import type { WriterSchema } from '../../../src/serde/schema-source.ts'
import { makeScratchDir } from '../../services/scratch-dir.ts'
import { parseMetrics } from '../observe/parse-metrics.ts'

const plain: RegistrySettings = {
  urls: [],
  username: null,
  password: null,
  caLocation: null,
  certificateLocation: null,
  keyLocation: null,
  keyPassword: null,
  requestTimeoutMs: 2_000,
  autoRegister: 'false',
}
const writer: WriterSchema = {
  subject: 'a/b value',
  type: 'AVRO',
  schema: '"string"',
  references: [],
  isInternal: false,
}

const absent = { status: 404, body: { error_code: 40401, message: 'not found' } }

type Answer = (request: IncomingMessage, body: string) => { status?: number; body: unknown } | 'nothing'

/** A server that answers with what the test says, and notes what it was asked. */
async function serve(answer: Answer, tls?: object) {
  const asked: string[] = []
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(`${request.method} ${request.url}`)
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const answered = answer(request, body)
    if (answered === 'nothing') return
    response.statusCode = answered.status ?? 200
    response.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body))
  }
  const server =
    tls === undefined
      ? createHttpServer((request, response) => void listener(request, response))
      : createHttpsServer(tls, (request, response) => void listener(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/api/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function withRegistry(
  settings: Partial<RegistrySettings>,
  run: (registry: HttpSchemaRegistry) => Promise<void>,
): Promise<void> {
  const registry = new HttpSchemaRegistry({ ...plain, ...settings })
  try {
    await run(registry)
  } finally {
    await registry.close()
  }
}

test('the API that Confluent has', async () => {
  const asked: string[] = []
  await using server = await serve((request, body) => {
    asked.push(body)
    switch (request.url) {
      case '/api/schemas/ids/7':
        return { body: { schema: '"int"', references: [{ name: 'x', subject: 'x', version: 2 }] } }
      case '/api/subjects/x/versions/2':
        return { body: { id: 3, schema: '"long"', references: [{ name: 'y', subject: 'y', version: 1 }] } }
      case '/api/subjects/y/versions/1':
        return { body: { id: 4, schema: '"float"' } }
      case '/api/subjects/a%2Fb%20value/versions':
        return { body: request.method === 'POST' ? { id: 9 } : [1, 2] }
      case '/api/subjects/a%2Fb%20value':
        return { body: { id: 9, version: 2 } }
      case '/api/subjects/protobuf/versions/latest':
        return { body: { id: 5, schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' } }
      default:
        return { status: 404, body: { error_code: 40401, message: 'not found' } }
    }
  })
  await withRegistry({ urls: [server.url] }, async (registry) => {
    const seven = {
      id: 7,
      type: 'AVRO',
      schema: '"int"',
      references: [
        { name: 'y', schema: '"float"' },
        { name: 'x', schema: '"long"' },
      ],
    }
    assert.deepEqual(await registry.schema(7), seven)
    assert.equal(await registry.schema(8), null)
    assert.deepEqual(await registry.versions(writer.subject), [1, 2])
    assert.deepEqual(await registry.versions('none'), [])
    const nine = { id: 9, type: 'AVRO', schema: '"string"', references: [] }
    assert.deepEqual(await registry.register(writer), nine)
    assert.deepEqual(await registry.lookUp(writer), nine)
    assert.equal(await registry.lookUp({ ...writer, subject: 'none' }), null)
    assert.equal(await registry.version('none', 1), null)
    assert.deepEqual(await registry.latest('protobuf'), {
      id: 5,
      type: 'PROTOBUF',
      schema: 'syntax = "proto3";',
      references: [],
    })
    assert.ok(asked.includes('{"schema":"\\"string\\""}'))
  })
})

test('a schema that many refer to is asked for once, and one that refers to itself is refused', async () => {
  const LEVELS = 20
  const reference = (subject: string) => ({ name: subject, subject, version: 1 })
  await using server = await serve((request) => {
    const level = Number(/level-(\d+)/.exec(request.url!)?.[1] ?? 0)
    if (request.url!.includes('/circle'))
      return { body: { id: 1, schema: '"int"', references: [reference('circle')] } }
    const below = [`level-${level + 1}`, `level-${level + 1}-too`].map(reference)
    return { body: { id: 1, schema: `"L${request.url}"`, ...(level < LEVELS && { references: below }) } }
  })
  await withRegistry({ urls: [server.url] }, async (registry) => {
    const schema = await registry.latest('level-0')
    // Two of each level, and no more requests than that: on all ways there are a million.
    assert.equal(schema?.references.length, 2 * LEVELS)
    assert.equal(server.asked.length, 1 + 2 * LEVELS)
    const names = schema.references.map(({ name }) => Number(/\d+/.exec(name)![0]))
    assert.deepEqual(
      names,
      names.toSorted((a, b) => b - a),
    )
    await assert.rejects(registry.latest('circle'), { code: 'schema-refused', message: /deeper than 32$/ })
  })
})

test("a refusal has the registry's reason", async () => {
  await using server = await serve(() => ({
    status: 409,
    body: { error_code: 409, message: 'Schema being registered is\n incompatible: MISSING_FIELD' },
  }))
  await withRegistry({ urls: [server.url] }, async (registry) => {
    await assert.rejects(registry.register(writer), {
      code: 'schema-refused',
      message:
        'the schema registry refuses the schema of subject a/b value (409): Schema being registered is incompatible: MISSING_FIELD',
    })
  })
})

test('whether a schema may follow those before it, as each registry says it', async () => {
  const incompatible = { is_compatible: false }
  const answers: Record<string, object> = {
    well: { is_compatible: true },
    confluent: { ...incompatible, messages: ['one', 'two'] },
    apicurio: { ...incompatible, reason: 'why' },
    silent: { ...incompatible, reason: null },
  }
  await using server = await serve((request) => {
    const [, , kind, ...path] = request.url!.replace(/\?.*/, '').split('/')
    if (kind === 'config') return path.length === 0 ? { body: { compatibilityLevel: 'FULL' } } : absent
    if (kind === 'subjects') return path[0] === 'none' ? absent : { body: [1, 2] }
    return path.at(-1) === 'latest' ? { body: answers[path[1]!] } : absent
  })
  await withRegistry({ urls: [server.url] }, async (registry) => {
    for (const [subject, reasons] of [
      ['well', []],
      ['confluent', ['one', 'two']],
      ['apicurio', ['why']],
      ['silent', ['the registry does not say why']],
      ['none', null],
    ] as const)
      assert.deepEqual(await registry.incompatibilities({ ...writer, subject }), reasons)
  })
})

test('a transitive rule compares with every version, another one with the newest', async () => {
  await using server = await serve((request) => {
    const [, , kind, ...path] = request.url!.replace(/\?.*/, '').split('/')
    if (kind === 'config')
      return { body: { compatibilityLevel: path[0] === 'all' ? 'BACKWARD_TRANSITIVE' : 'BACKWARD' } }
    if (kind === 'subjects') return { body: [1, 2] }
    return {
      body:
        path.at(-1) === '1' ? { is_compatible: false, messages: ['not with 1'] } : { is_compatible: true },
    }
  })
  await withRegistry({ urls: [server.url] }, async (registry) => {
    assert.deepEqual(await registry.incompatibilities({ ...writer, subject: 'all' }), ['not with 1'])
    assert.deepEqual(await registry.incompatibilities({ ...writer, subject: 'newest' }), [])
  })
})

test('of several URLs the next is asked when one does not answer, or not well, and stays', async () => {
  await using silent = await serve(() => 'nothing')
  await using failing = await serve(() => ({ status: 503, body: { message: 'starting' } }))
  await using well = await serve(() => ({ body: { schema: '"int"' } }))
  const urls = ['http://127.0.0.1:1', silent.url, failing.url, well.url]
  await withRegistry({ urls, requestTimeoutMs: 200 }, async (registry) => {
    assert.equal((await registry.schema(1))?.schema, '"int"')
    assert.equal((await registry.schema(2))?.schema, '"int"')
    assert.deepEqual([silent.asked.length, failing.asked.length, well.asked.length], [1, 1, 2])
  })
  await withRegistry({ urls: urls.slice(0, 3), requestTimeoutMs: 200 }, async (registry) => {
    await assert.rejects(registry.schema(1), (error: Error & { code: string }) => {
      assert.equal(error.code, 'schema-registry-unreachable')
      assert.match(
        error.message,
        /^[^\n]*127.0.0.1:1: connect ECONNREFUSED[^\n]*no answer within 200 ms[^\n]*503 starting$/,
      )
      return true
    })
  })
})

test('a schema is found by its JSON where a registry compares bytes, and only if all of it is the same', async () => {
  const [a, b] = ['{"name":"a","type":"long","default":9007199254740993}', '{"name":"b","type":"int"}']
  const schema = `{"type":"record","name":"R","fields":[${a},${b}]}`
  const versions: Record<number, { schema: string; references?: readonly object[]; schemaType?: string }> = {
    1: { schema: `{ "name": "R",\n "type": "record", "fields": [${a}, ${b}] }\n` },
    2: { schema, references: [{ name: 'x', subject: 'x', version: 1 }] },
    3: { schema, schemaType: 'JSON' },
    4: { schema: `{"type":"record","name":"R","fields":[${b},${a}]}` },
    5: { schema: schema.replace('0993', '0992') },
    6: { schema: '"string"' },
    7: { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' },
  }
  await using server = await serve(({ method, url }) => {
    if (method === 'POST') return { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
    const version = Number(/\d+$/.exec(url!)?.[0])
    return { body: version ? { id: 100 + version, ...versions[version] } : Object.keys(versions).map(Number) }
  })
  await withRegistry({ urls: [server.url] }, async (registry) => {
    assert.equal((await registry.lookUp({ ...writer, schema }))?.id, 101)
    assert.equal((await registry.lookUp({ ...writer, schema: '"string"' }))?.id, 106)
    assert.equal(await registry.lookUp({ ...writer, schema: '"bytes"' }), null)
    assert.equal(await registry.lookUp({ ...writer, type: 'PROTOBUF', schema: 'syntax = "proto3"; ' }), null)
  })
})

test('a path that is none of the API is no missing schema', async () => {
  await using server = await serve(() => ({ status: 404, body: '<html>no such page</html>' }))
  await withRegistry({ urls: [server.url] }, async (registry) => {
    await assert.rejects(registry.schema(1), {
      code: 'schema-registry-unreachable',
      message: /is the path right\?/,
    })
  })
  for (const status of [404, 400, 302]) {
    await using gateway = await serve(() => ({ status, body: { message: 'no Route matched' } }))
    await withRegistry({ urls: [gateway.url] }, async (registry) => {
      for (const asked of [
        registry.schema(1),
        registry.versions('x'),
        status === 404 && registry.lookUp(writer),
      ])
        if (asked !== false)
          await assert.rejects(asked, {
            code: 'schema-registry-unreachable',
            message: /it answered \d+ without an error code: is the path right\? no Route matched$/,
          })
    })
  }
})

test('user and password are sent, and refused ones are told', async () => {
  const expected = `Basic ${Buffer.from('user:geheim:ß').toString('base64')}`
  await using server = await serve(({ headers }) =>
    headers.authorization === expected
      ? { body: { schema: '"int"' } }
      : { status: 401, body: { message: 'no' } },
  )
  await withRegistry({ urls: [server.url], username: 'user', password: 'geheim:ß' }, async (registry) => {
    assert.equal((await registry.schema(1))?.id, 1)
  })
  await withRegistry({ urls: [server.url], username: 'user', password: 'wrong' }, async (registry) => {
    await assert.rejects(registry.schema(1), (error: Error & { code: string }) => {
      assert.equal(error.code, 'schema-registry-refused')
      assert.doesNotMatch(error.message, /wrong/)
      return true
    })
  })
})

test('requests are counted by kind and outcome, and timed when there is an answer', async () => {
  await using failing = await serve(() => ({ status: 503, body: {} }))
  await using well = await serve((request) => {
    switch (request.url) {
      case '/api/schemas/ids/1':
        return { body: { schema: '"int"', references: [{ name: 'x', subject: 'x', version: 2 }] } }
      case '/api/subjects/x/versions/2':
        return { body: { id: 3, schema: '"long"' } }
      case '/api/subjects/x/versions':
        return { body: [2] }
      case '/api/subjects/a%2Fb%20value':
        return { status: 409, body: { message: 'no' } }
      case '/api/subjects/a%2Fb%20value/versions':
        return { status: 401, body: {} }
      default:
        return absent
    }
  })
  const metrics = new SchemaMetrics()
  const registry = new HttpSchemaRegistry({ ...plain, urls: [failing.url, well.url] }, metrics.requested)
  await registry.schema(1)
  await registry.schema(2)
  await registry.latest('none')
  await registry.versions('x')
  await assert.rejects(registry.lookUp(writer), { code: 'schema-refused' })
  await assert.rejects(registry.register(writer), { code: 'schema-registry-refused' })
  await registry.close()
  const usage = { known: 3, awaited: 2, retries: 5 }
  await metrics.collect({ ...usage, retries: 1 })
  const collected = parseMetrics(await renderMetrics([await metrics.collect(usage)]))
  const named = (prefix: string) =>
    Object.fromEntries(
      [...collected]
        .filter(([series]) => series.startsWith(`weir_schema_registry_${prefix}`))
        .map(([series, value]) => [series.slice('weir_schema_registry_'.length), value]),
    )
  assert.deepEqual(named('requests'), {
    // The first URL, which is not asked again once the second has answered.
    'requests_total{kind="schema",outcome="failed"}': 1,
    'requests_total{kind="schema",outcome="answered"}': 1,
    'requests_total{kind="schema",outcome="missing"}': 1,
    'requests_total{kind="version",outcome="answered"}': 1,
    'requests_total{kind="version",outcome="missing"}': 1,
    'requests_total{kind="versions",outcome="answered"}': 1,
    'requests_total{kind="look-up",outcome="refused"}': 1,
    'requests_total{kind="register",outcome="refused"}': 1,
  })
  assert.deepEqual(named('request_seconds_count'), {
    'request_seconds_count{kind="schema"}': 2,
    'request_seconds_count{kind="version"}': 2,
    'request_seconds_count{kind="versions"}': 1,
    'request_seconds_count{kind="look-up"}': 1,
    'request_seconds_count{kind="register"}': 1,
  })
  for (const [series, value] of Object.entries(named('request_seconds_sum'))) assert.ok(value > 0, series)
  assert.deepEqual(
    [named('schemas'), named('awaited'), named('retries')],
    [{ schemas: 3 }, { awaited_schemas: 2 }, { retries_total: 5 }],
  )
})

test('over TLS the certificates of both sides are checked', async () => {
  const dir = makeScratchDir('registry-tls')
  const file = (name: string): string => join(dir, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  for (const name of ['server', 'client']) {
    const password = name === 'client' ? ['-passout', 'pass:open'] : ['-nodes']
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      ...password,
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-copy_extensions',
      'copyall',
      '-out',
      `${name}.pem`,
    )
  }
  await using server = await serve(() => ({ body: { schema: '"int"' } }), {
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.pem')),
    ca: readFileSync(file('ca.pem')),
    requestCert: true,
    rejectUnauthorized: true,
  })
  const urls = [server.url]
  const both = {
    urls,
    caLocation: file('ca.pem'),
    certificateLocation: file('client.pem'),
    keyLocation: file('client.key'),
    keyPassword: 'open',
  }
  await withRegistry(both, async (registry) => {
    assert.equal((await registry.schema(1))?.id, 1)
  })
  await withRegistry({ urls, caLocation: file('ca.pem') }, async (registry) => {
    await assert.rejects(registry.schema(1), { code: 'schema-registry-unreachable' })
  })
  await withRegistry({ ...both, caLocation: null }, async (registry) => {
    await assert.rejects(registry.schema(1), { message: /certificate/ })
  })
  assert.throws(() => new HttpSchemaRegistry({ ...plain, ...both, keyLocation: file('none.key') }), {
    code: 'config-invalid',
    message: /^WEIR_SCHEMA_REGISTRY_SSL_KEY_LOCATION=\S+none.key: cannot be read/,
  })
})
