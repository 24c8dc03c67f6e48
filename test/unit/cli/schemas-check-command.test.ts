import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { checkSchemas } from '../../../src/cli/schemas-check-command.ts'
import { ConfigError } from '../../../src/config/config-error.ts'
import { makeScratchDir } from '../../services/scratch-dir.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const avro = pathOf('../../support/topologies/avro.ts')
const count = pathOf('../../support/topologies/count.ts')
const settings = { WEIR_APPLICATION_ID: 'app' }

/** What a subject has, and what its rule says of the next schema. */
interface Subject {
  /** Of schemas that it has, by the number of their fields. */
  readonly registeredFields?: readonly number[]
  readonly answer?: object
  /** Default: that of the registry, BACKWARD. */
  readonly level?: string
  /** What a transitive rule says of version 1. */
  readonly firstAnswer?: object
}

/** A server with the answers of Confluent's API that the check asks for. */
async function serve(subjects: Record<string, Subject>) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const body = (await text(request)) || '{}'
    const [, kind, subject = '', rest = ''] =
      /^(?:\/compatibility)?\/(subjects|config)(?:\/([^/?]+))?(.*)$/.exec(request.url!)!
    const { registeredFields = [], answer, level, firstAnswer } = subjects[subject] ?? {}
    const reply = (status: number, value: object): void => {
      response.statusCode = status
      response.end(JSON.stringify(value))
    }
    const absent = { error_code: 40401, message: 'not found' }
    if (request.url === '/config') return reply(200, { compatibilityLevel: 'BACKWARD' })
    if (!(subject in subjects)) return reply(404, absent)
    if (kind === 'config')
      return level === undefined ? reply(404, absent) : reply(200, { compatibilityLevel: level })
    if (request.url!.startsWith('/compatibility')) {
      if (rest === '/versions/latest?verbose=true' || rest === '/versions/2?verbose=true')
        return reply(200, answer!)
      return rest === '/versions/1?verbose=true' ? reply(200, firstAnswer!) : reply(404, absent)
    }
    if (rest === '/versions') return reply(200, [1, 2])
    // Neither is what is asked about.
    if (/^\/versions\/[12]$/.test(rest)) return reply(200, { id: 7, schema: '"string"' })
    const { schema } = JSON.parse(body) as { schema: string }
    const { fields } = JSON.parse(schema) as { fields: readonly unknown[] }
    return registeredFields.includes(fields.length) ? reply(200, { id: 1 }) : reply(404, absent)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    asked,
    environment: { ...settings, WEIR_SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const compatible = { is_compatible: true, messages: [] }
const refused = {
  is_compatible: false,
  messages: ['READER_FIELD_MISSING_DEFAULT_VALUE:\n country', 'the rule is BACKWARD'],
}

test('each schema has a line, and one that the rule refuses its reasons', async () => {
  await using registry = await serve({
    'views-value': { registeredFields: [2] },
    'views-out-value': { answer: refused },
    'totals-out-value': { answer: compatible },
  })
  const report = await checkSchemas(avro, { json: false }, registry.environment)
  assert.deepEqual(report.refused, ['views-out-value'])
  assert.deepEqual(
    report.text.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['SUBJECT', 'TYPE', 'VERDICT', 'USED FOR'],
      ['views-value', 'AVRO', 'registered', 'values of views, read'],
      ['views-out-value', 'AVRO', 'incompatible', 'values of views-out, written'],
      ['totals-out-value', 'AVRO', 'compatible', 'values of totals-out, written'],
      ['app-totals-changelog-value', 'AVRO', 'new', 'values of app-totals-changelog, written'],
      [''],
      ['views-out-value: READER_FIELD_MISSING_DEFAULT_VALUE: country'],
      ['views-out-value: the rule is BACKWARD'],
      [''],
    ],
  )
  const changes = registry.asked.filter((one) => /^POST \/subjects\/[^/]+\/versions/.test(one))
  assert.deepEqual(changes, [], 'nothing is registered')
  const json = await checkSchemas(avro, { json: true }, registry.environment)
  assert.deepEqual((JSON.parse(json.text) as object[])[1], {
    subject: 'views-out-value',
    type: 'AVRO',
    uses: ['values of views-out, written'],
    verdict: 'incompatible',
    reasons: ['READER_FIELD_MISSING_DEFAULT_VALUE: country', 'the rule is BACKWARD'],
  })
})

test('a transitive rule is asked of every version, another of the newest', async () => {
  const firstAnswer = { is_compatible: false, reason: 'not with 1' }
  await using registry = await serve({
    'views-out-value': { answer: compatible, firstAnswer, level: 'FULL_TRANSITIVE' },
    'totals-out-value': { answer: compatible, firstAnswer },
  })
  const report = await checkSchemas(avro, { json: false }, registry.environment)
  assert.deepEqual(report.refused, ['views-out-value'])
  assert.match(report.text, /^views-out-value: not with 1$/m)
})

test('a subject and a version that are named and not there', async () => {
  const path = join(makeScratchDir('schemas-check'), 'named.ts')
  const index = new URL('../../../src/index.ts', import.meta.url).href
  const module = `import { defineTopology, serdes } from '${index}'
const references = [{ name: 'test.Known', subject: 'known', version: 3 }]
const using = { type: 'record', name: 'Using', fields: [{ name: 'known', type: 'test.Known' }] }
export default defineTopology((builder) => {
  builder
    .stream('in', { key: serdes.string, value: serdes.avro({ subject: 'gone' }) })
    .to('out', { value: serdes.avro(using, { references }) })
})
`
  writeFileSync(path, module)
  await using registry = await serve({})
  const report = await checkSchemas(path, { json: false }, registry.environment)
  assert.deepEqual(report.refused, ['gone', 'known'])
  assert.match(report.text, /^gone +- +missing +values of in, read$/m)
  assert.match(report.text, /^gone: the subject has no schema\nknown: there is no version 3$/m)
})

test('a topology without schemas needs no registry', async () => {
  const report = await checkSchemas(count, { json: false }, settings)
  assert.deepEqual(report, { text: 'the topology has no schemas of its own\n', refused: [] })
})

test('without a registry, and with one that does not answer, there is one line', async () => {
  await assert.rejects(checkSchemas(avro, { json: false }, settings), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.problems[0]!, /^WEIR_SCHEMA_REGISTRY_URL is not set: /)
    return true
  })
  const away = { ...settings, WEIR_SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' }
  await assert.rejects(checkSchemas(avro, { json: false }, away), { code: 'schema-registry-unreachable' })
})

test('the exit code: 0, 1 when one is refused, 2 for settings', async () => {
  const ended = async (environment: Record<string, string>): Promise<[number | null, string]> => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_'))
    const env = { ...Object.fromEntries(inherited), ...environment }
    const main = pathOf('../../../src/cli/main.ts')
    const child = spawn(process.execPath, [main, 'schemas', 'check', avro], { env })
    const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'close'), text(child.stdout)])
    return [code as number | null, told]
  }
  await using good = await serve({ 'views-out-value': { answer: compatible } })
  assert.deepEqual(await ended(good.environment), [0, ''])
  await using bad = await serve({ 'views-out-value': { answer: refused } })
  const line = 'weir: the topology cannot run with what is registered: views-out-value\n'
  assert.deepEqual(await ended(bad.environment), [1, line])
  const [code, told] = await ended(settings)
  assert.equal(code, 2)
  assert.match(told, /^weir: WEIR_SCHEMA_REGISTRY_URL is not set: .*\n$/)
})
