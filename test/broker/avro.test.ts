/** Avro with a real registry and a real broker: schemas evolve, are refused, are missing, and the registry goes and comes back. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  createTopics,
  lagOf,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { freePorts } from '../services/ports.ts'
import { type RegistryService, startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { pageViewSchemas, totalSchemas } from '../support/avro-schemas.ts'
import { decode, encode, register, registerText, setCompatibility } from '../support/registry-client.ts'
import { assertShown, schemaMetrics } from '../support/seen-metrics.ts'
import { TcpLink } from '../support/tcp-proxy.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const module = 'test/support/topologies/avro.ts'
type Version = keyof typeof pageViewSchemas

interface Total {
  readonly userId: string
  readonly views: number
  readonly durationMs: number
  readonly lastReferrer?: string | null
}

describe('Avro', () => {
  let kafka: KafkaService
  let registry: RegistryService

  before(async () => {
    ;[kafka, registry] = await Promise.all([startKafka(), startRegistry()])
  })
  after(async () => {
    await kafka?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  /** One application, with topics and subjects of its own. */
  class Views {
    readonly #name: string
    readonly stateDir: string
    url = registry.url

    constructor(name: string) {
      this.#name = name
      this.stateDir = makeScratchDir(`avro-${name}`)
    }

    topic(name: string): string {
      return `${this.#name}-${name}`
    }

    async createTopics(): Promise<void> {
      const topics = { [this.topic('views')]: 2, [this.topic('views-out')]: 1, [this.topic('totals-out')]: 1 }
      await createTopics(kafka.bootstrapServers, topics)
    }

    start(version: Version, env: Record<string, string> = {}): Promise<WeirProcess> {
      return WeirProcess.start({
        module,
        applicationId: this.#name,
        bootstrapServers: kafka.bootstrapServers,
        stateDir: this.stateDir,
        env: {
          AVRO_VERSION: version,
          AVRO_PREFIX: `${this.#name}-`,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '100',
          WEIR_SCHEMA_REGISTRY_URL: this.url,
          WEIR_SCHEMA_AUTO_REGISTER: 'true',
          ...env,
        },
      })
    }

    /** Writes events as a producer of that version does. @param partition of all; undefined: by key */
    async produce(version: Version, values: readonly object[], partition?: number): Promise<void> {
      const schema = pageViewSchemas[version]
      const id = await register(registry.url, `${this.topic('views')}-value`, schema)
      await this.produceBytes(
        values.map((value) => ({
          key: (value as { userId: string }).userId,
          value: encode(id, schema, value),
        })),
        partition,
      )
    }

    async produceBytes(
      records: readonly { key: string; value: Buffer }[],
      partition?: number,
    ): Promise<void> {
      const topic = this.topic('views')
      await produceAll(
        kafka.bootstrapServers,
        records.map((record) => ({
          topic,
          timestamp: 1,
          ...record,
          ...(partition !== undefined && { partition }),
        })),
      )
    }

    async consumed(worker: WeirProcess): Promise<void> {
      const { bootstrapServers } = kafka
      const topics = [this.topic('views')]
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, this.#name, topics, { timeoutMs: 60_000 }),
      )
    }

    async lag(): Promise<number> {
      return (await lagOf(kafka.bootstrapServers, this.#name, [this.topic('views')])).remaining
    }

    /** Runs a worker until everything is consumed. */
    async run(version: Version): Promise<void> {
      await using worker = await this.start(version)
      await worker.ready()
      await this.consumed(worker)
      await worker.stop()
    }

    async written(name: string): Promise<{ id: number; value: unknown }[]> {
      const records = await readToEnd(kafka.bootstrapServers, this.topic(name))
      return await Promise.all(records.map(({ value }) => decode(registry.url, value!)))
    }

    /** The last one of each user. */
    async totals(): Promise<Record<string, Total>> {
      const written = await this.written('totals-out')
      return Object.fromEntries(written.map(({ value }) => [(value as Total).userId, value as Total]))
    }
  }

  test('records are read, kept in a store and written', async () => {
    const views = new Views('plain')
    await views.createTopics()
    const events = Array.from({ length: 200 }, (_, index) => ({
      userId: `user-${index % 7}`,
      durationMs: index * 2 ** 30,
    }))
    await views.produce('v1', events)
    await views.run('v1')
    const texts = (values: readonly unknown[]): string[] =>
      values.map((value) => JSON.stringify(value)).sort()
    const copies = await views.written('views-out')
    assert.deepEqual(texts(copies.map(({ value }) => value)), texts(events))
    const expected: Record<string, Total> = {}
    for (const { userId, durationMs } of events) {
      const total = expected[userId] ?? { userId, views: 0, durationMs: 0 }
      expected[userId] = { userId, views: total.views + 1, durationMs: total.durationMs + durationMs }
    }
    assert.deepEqual(await views.totals(), expected)
    const changelog = await readToEnd(kafka.bootstrapServers, 'plain-totals-changelog')
    const ids = new Set(changelog.map(({ value }) => value!.readInt32BE(1)))
    const id = await register(registry.url, 'plain-totals-changelog-value', totalSchemas.v1)
    assert.deepEqual([...ids], [id])
  })

  test('schemas evolve: a newer application reads older events and rows, and an older one newer events', async () => {
    const views = new Views('evolving')
    await views.createTopics()
    await views.produce('v1', [{ userId: 'a', durationMs: 1 }])
    await views.run('v1')
    // Forward: the producers are ahead.
    await views.produce('v2', [
      { userId: 'a', durationMs: 2, referrer: 'mail' },
      { userId: 'b', durationMs: 3, referrer: null },
    ])
    await views.run('v1')
    assert.deepEqual(await views.totals(), {
      a: { userId: 'a', views: 2, durationMs: 3 },
      b: { userId: 'b', views: 1, durationMs: 3 },
    })
    // Backward: rows and events of before, and events of both versions.
    await views.produce('v1', [{ userId: 'b', durationMs: 4 }])
    await views.produce('v2', [{ userId: 'a', durationMs: 5, referrer: 'ad' }])
    await views.run('v2')
    assert.deepEqual(await views.totals(), {
      a: { userId: 'a', views: 3, durationMs: 8, lastReferrer: 'ad' },
      b: { userId: 'b', views: 2, durationMs: 7, lastReferrer: null },
    })
    // Full: another name, on a machine that restores the rows of all versions.
    await views.produce('v2', [{ userId: 'b', durationMs: 6, referrer: 'web' }])
    const elsewhere = new Views('evolving')
    await elsewhere.run('v3')
    assert.deepEqual(await views.totals(), {
      a: { userId: 'a', views: 3, durationMs: 8, lastReferrer: 'ad' },
      b: { userId: 'b', views: 3, durationMs: 13, lastReferrer: 'web' },
    })
    // And back again: rows that the newer one has written.
    await views.produce('v1', [{ userId: 'a', durationMs: 7 }])
    await elsewhere.run('v1')
    assert.deepEqual((await views.totals()).a, { userId: 'a', views: 4, durationMs: 15 })
  })

  /** Runs a worker to its end. @returns its error lines */
  async function failureOf(views: Views, version: Version, env?: Record<string, string>): Promise<string[]> {
    await using worker = await views.start(version, env)
    const { code, stderr, stdout } = await worker.exited
    assert.equal(code, 1, stderr + stdout)
    return stderr.split('\n').filter((line) => line.startsWith('weir: '))
  }

  test("a breaking change is refused, with the registry's reason", async () => {
    const views = new Views('breaking')
    await views.createTopics()
    const subject = `${views.topic('views-out')}-value`
    await register(registry.url, subject, pageViewSchemas.v1)
    await setCompatibility(registry.url, 'BACKWARD', subject)
    const lines = await failureOf(views, 'breaking')
    assert.equal(lines.length, 1)
    assert.match(
      lines[0]!,
      /^weir: values of breaking-views-out: the schema registry refuses the schema of subject breaking-views-out-value \(409\): /,
    )
    assert.match(lines[0]!, /country/)
  })

  test('without registration a schema has to be there, and is found when it is', async () => {
    const views = new Views('looked-up')
    await views.createTopics()
    const [line] = await failureOf(views, 'v1', { WEIR_SCHEMA_AUTO_REGISTER: 'false' })
    assert.match(
      line!,
      /^weir: (keys|values) of looked-up-\S+: subject looked-up-\S+-value does not have the schema that is written/,
    )
    assert.match(line!, /register it, or set WEIR_SCHEMA_AUTO_REGISTER=/)
    // As a file has it, which the build registers: it is the same schema, of other bytes.
    const asInFile = (schema: object) => `${JSON.stringify(schema, null, 2)}\n`
    await registerText(registry.url, `${views.topic('views-out')}-value`, asInFile(pageViewSchemas.v1))
    await registerText(registry.url, `${views.topic('totals-out')}-value`, asInFile(totalSchemas.v1))
    await using worker = await views.start('v1', { WEIR_SCHEMA_AUTO_REGISTER: 'internal' })
    await worker.ready()
    await worker.stop()
  })

  test('the registry is away at the start: one line, and the worker waits', async () => {
    const views = new Views('late')
    await views.createTopics()
    const [port] = (await freePorts(1)) as [number]
    views.url = `http://127.0.0.1:${port}/apis/ccompat/v7`
    await using worker = await views.start('v1')
    const line = 'the schema registry cannot be reached yet; trying again'
    await worker.until(() => worker.output.includes(line), 'tells nothing of the registry')
    await sleep(1_000)
    assert.equal(worker.output.split(line).length, 2)
    await using _link = await TcpLink.listen(port, registry.port)
    await worker.ready()
    await worker.stop()
  })

  test('the registry goes: records of known schemas go on, those of others wait for it, and none is dead-lettered', async () => {
    const views = new Views('away')
    await views.createTopics()
    await createTopics(kafka.bootstrapServers, { [views.topic('letters')]: 1 })
    const [port] = (await freePorts(1)) as [number]
    await using link = await TcpLink.listen(port, registry.port)
    // The second is asked when the first does not answer: nobody listens there.
    const [nobody] = (await freePorts(1)) as [number]
    const at = (listener: number): string => `http://127.0.0.1:${listener}/apis/ccompat/v7`
    views.url = `${at(nobody)},${at(port)}`
    await using worker = await views.start('v1', {
      WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
      WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: views.topic('letters'),
    })
    await worker.ready()
    await views.produce('v1', [{ userId: 'known', durationMs: 1 }], 0)
    const unknown = Buffer.from([0, 0, 15, 66, 63, 0])
    await views.produceBytes([{ key: 'unknown', value: unknown }], 0)
    await views.consumed(worker)
    link.mode = 'cut'
    await views.produce('v2', [{ userId: 'new', durationMs: 1, referrer: 'r' }], 1)
    await views.produce(
      'v1',
      Array.from({ length: 50 }, () => ({ userId: 'known', durationMs: 1 })),
      0,
    )
    await worker.until(async () => (await views.lag()) === 1, 'has not processed what it can read')
    assert.match(
      worker.output,
      /the schema registry cannot be reached; records of schemas that are not known yet wait/,
    )
    const metric = async (series: string): Promise<number> => {
      const metrics = await worker.metrics()
      return metrics.get(`weir_schema_registry_${series}`) ?? Number.NaN
    }
    const ofSchemas = (outcome: string): string => `requests_total{kind="schema",outcome="${outcome}"}`
    const known = await metric('schemas')
    assert.equal(await metric('awaited_schemas'), 1)
    assert.ok((await metric('retries_total')) > 0)
    assert.ok((await metric(ofSchemas('failed'))) > 0)
    assert.ok(Number.isNaN(await metric(ofSchemas('answered'))))
    assert.equal(await metric(ofSchemas('missing')), 1)
    link.mode = 'open'
    await views.consumed(worker)
    assert.match(worker.output, /the schema registry answers again/)
    assert.equal(await metric('awaited_schemas'), 0)
    assert.equal(await metric('schemas'), known + 1)
    assert.equal(await metric(ofSchemas('answered')), 1)
    assert.equal(await metric('request_seconds_count{kind="schema"}'), 2)
    assert.ok((await metric('requests_total{kind="register",outcome="answered"}')) >= 2)
    await assertShown(worker, schemaMetrics)
    await worker.stop()
    const letters = await readToEnd(kafka.bootstrapServers, views.topic('letters'))
    assert.deepEqual(
      letters.map(({ value }) => value),
      [unknown],
    )
    const totals = await views.totals()
    assert.equal(totals.known?.views, 51)
    assert.equal(totals.new?.views, 1)
  })

  test('weir schemas check tells what a deployment would meet, and registers nothing', async () => {
    const views = new Views('checked')
    const subject = `${views.topic('views')}-value`
    const rule = async (name: string): Promise<void> => {
      await register(registry.url, name, pageViewSchemas.v1)
      await setCompatibility(registry.url, 'BACKWARD', name)
    }
    await rule(subject)
    await rule(`${views.topic('views-out')}-value`)
    const check = async (version: Version) => {
      const { code, stdout, stderr } = await runWeir(['schemas', 'check', module, '--json'], {
        AVRO_VERSION: version,
        AVRO_PREFIX: 'checked-',
        WEIR_APPLICATION_ID: 'checked',
        WEIR_SCHEMA_REGISTRY_URL: registry.url,
      })
      assert.ok(stdout.startsWith('['), stderr)
      const checked = JSON.parse(stdout) as { subject: string; verdict: string; reasons: string[] }[]
      const verdicts = Object.fromEntries(checked.map((one) => [one.subject, one.verdict]))
      return { code, verdicts, reasons: checked.flatMap(({ reasons }) => reasons).join() }
    }
    const totals = { 'checked-totals-changelog-value': 'new', 'checked-totals-out-value': 'new' }
    const both = (verdict: string) => ({ [subject]: verdict, 'checked-views-out-value': verdict, ...totals })
    assert.deepEqual(await check('v1'), { code: 0, verdicts: both('registered'), reasons: '' })
    assert.deepEqual(await check('v2'), { code: 0, verdicts: both('compatible'), reasons: '' })
    const breaking = await check('breaking')
    assert.deepEqual({ ...breaking, reasons: '' }, { code: 1, verdicts: both('incompatible'), reasons: '' })
    assert.match(breaking.reasons, /country/)
    assert.deepEqual(await check('v2'), { code: 0, verdicts: both('compatible'), reasons: '' })
  })

  test('weir schemas check compares with every version when the rule is transitive, else with the newest', async () => {
    const subject = 'transitive-totals-changelog-value'
    const verdict = async () => {
      const { stdout, stderr } = await runWeir(['schemas', 'check', module, '--json'], {
        AVRO_VERSION: 'v1',
        AVRO_PREFIX: 'transitive-',
        WEIR_APPLICATION_ID: 'transitive',
        WEIR_SCHEMA_REGISTRY_URL: registry.url,
      })
      assert.ok(stdout.startsWith('['), stderr)
      const checked = JSON.parse(stdout) as { subject: string; verdict: string }[]
      return checked.find((one) => one.subject === subject)?.verdict
    }
    const field = (type: string) => ({ name: 'views', type })
    const withFields = (...fields: object[]) => ({ type: 'record', name: 'Total', namespace: 'test', fields })
    const rest = [
      { name: 'userId', type: 'string' },
      { name: 'durationMs', type: 'long' },
    ]
    // The topology's `views` is an int: it can read the newest version, which has an int too, not the first.
    await register(registry.url, subject, withFields(...rest, field('string')))
    await register(registry.url, subject, withFields(...rest, field('int'), { name: 'more', type: 'int' }))
    await setCompatibility(registry.url, 'BACKWARD', subject)
    assert.equal(await verdict(), 'compatible')
    await setCompatibility(registry.url, 'BACKWARD_TRANSITIVE', subject)
    assert.equal(await verdict(), 'incompatible')
  })

  test('a global table is Avro, too, of a schema that its thread does not know at the start', async () => {
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, { users: 2, 'user-views': 2, joined: 1 })
    const userId = await register(registry.url, 'users-value', totalSchemas.v2)
    const viewId = await register(registry.url, 'user-views-value', pageViewSchemas.v1)
    const bytes = encode(userId, totalSchemas.v2, {
      userId: 'u',
      views: 0,
      durationMs: 1_000,
      lastReferrer: 'x',
    })
    await produceAll(bootstrapServers, [{ topic: 'users', key: 'u', value: bytes, timestamp: 1 }])
    const view = encode(viewId, pageViewSchemas.v1, { userId: 'u', durationMs: 5 })
    await produceAll(bootstrapServers, [{ topic: 'user-views', key: 'u', value: view, timestamp: 1 }])
    await using worker = await WeirProcess.start({
      module: 'test/support/topologies/avro-global.ts',
      applicationId: 'avro-global',
      bootstrapServers,
      stateDir: makeScratchDir('avro-global'),
      env: {
        WEIR_COMMIT_INTERVAL_MS: '100',
        WEIR_SCHEMA_REGISTRY_URL: registry.url,
        WEIR_SCHEMA_AUTO_REGISTER: 'true',
      },
    })
    await worker.ready()
    const consumed = waitUntilConsumed(bootstrapServers, 'avro-global', ['user-views'], { timeoutMs: 60_000 })
    await worker.whileRunning(consumed)
    await worker.stop()
    const [joined] = await readToEnd(bootstrapServers, 'joined')
    assert.deepEqual((await decode(registry.url, joined!.value!)).value, { userId: 'u', durationMs: 1_005 })
  })

  test('a record of a schema that the registry does not have is an error of that record', async () => {
    const views = new Views('unknown')
    await views.createTopics()
    await views.produce('v1', [{ userId: 'a', durationMs: 1 }], 0)
    await views.produceBytes(
      [{ key: 'a', value: encode(999_999, pageViewSchemas.v1, { userId: 'a', durationMs: 1 }) }],
      0,
    )
    const lines = await failureOf(views, 'v1')
    assert.match(
      lines[0]!,
      /unknown-views partition 0 offset 1: the value \(\d+ bytes\) is no avro test.PageView: the schema registry has no schema of id 999999/,
    )
    // What came before it is committed.
    assert.equal(await views.lag(), 1)
  })
})
