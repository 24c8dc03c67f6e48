/** Queries of a group whose members come and go: each answer is exactly what the records up to its position say, or it is an explicit "try again". */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { forEachRecord } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { freePorts } from '../services/ports.ts'
import { areRunning, CountApplication, sumOf } from '../support/count-application.ts'
import type { CountLoad } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import type { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 6
const KEYS = 200
const RECORDS = 12_000
const token = 'a-token-of-this-test-alone'

interface Answer {
  readonly key: number
  /** 0: the key was absent. */
  readonly count: number
  readonly offset: number
  readonly partition: number
}

interface AnswerBody {
  readonly code?: string
  readonly value?: number
  readonly partitions: readonly number[]
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** Asks one worker until it is stopped or the worker is killed. */
class Asker {
  readonly answers: Answer[] = []
  readonly retries = new Map<string, number>()
  readonly #url: string
  readonly #load: CountLoad
  readonly #random: Random
  readonly #consistency: 'consistent' | 'committed'
  /** What was said of each key, by any answer that this one had. */
  readonly #said = new Int32Array(KEYS)
  /** Of each partition the last position. */
  readonly #positions = new Map<number, number>()
  #isStopped = false
  readonly #running: Promise<void>

  constructor(worker: WeirProcess, load: CountLoad, random: Random, consistency: 'consistent' | 'committed') {
    this.#url = `http://127.0.0.1:${worker.httpPort}/state/counts`
    this.#load = load
    this.#random = random
    this.#consistency = consistency
    this.#running = this.#run(worker)
    this.#running.catch(() => {})
  }

  /** @throws what it has met and must not have */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(worker: WeirProcess): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#ask(this.#random.below(KEYS))
      } catch (error) {
        // Its connections end a little before its end is known.
        if (error instanceof TypeError && (await Promise.race([worker.exited, sleep(1_000)]))) return
        throw error
      }
    }
  }

  async #ask(key: number): Promise<void> {
    const { input } = this.#load
    // What was said before must not be taken back: by the bound where what is not committed is told, by itself where it is not.
    const bound =
      this.#consistency === 'consistent'
        ? `&position=${encodeURIComponent(JSON.stringify({ [input]: Object.fromEntries(this.#positions) }))}`
        : ''
    const response = await fetch(
      `${this.#url}/key-${key}?consistency=${this.#consistency}&timeout-ms=2000${bound}`,
      { headers: { authorization: `Bearer ${token}` } },
    )
    const body = (await response.json()) as AnswerBody
    if (response.status === 503) {
      assert.equal(response.headers.get('retry-after'), '1')
      this.retries.set(body.code!, (this.retries.get(body.code!) ?? 0) + 1)
      await sleep(20)
      return
    }
    const isAbsent = response.status === 404 && body.code === 'key-absent'
    assert.ok(response.status === 200 || isAbsent, `status ${response.status}: ${JSON.stringify(body)}`)
    const [partition] = body.partitions as [number]
    const offset = body.position[input]?.[partition] ?? -1
    const count = isAbsent ? 0 : body.value!
    assert.ok(
      count >= this.#said[key]!,
      `key-${key} had ${this.#said[key]}, and ${count} later (${this.#consistency})`,
    )
    this.#said[key] = count
    if (offset >= 0) this.#positions.set(partition, Math.max(offset, this.#positions.get(partition) ?? -1))
    this.answers.push({ key, count, offset, partition })
  }
}

/** For each record of the input, by partition and offset: how often its key has come by then. */
async function countsByOffset(kafka: KafkaService, load: CountLoad) {
  const counts = new Map<string, { readonly offset: number; readonly count: number }[]>()
  await forEachRecord(kafka.bootstrapServers, load.input, ({ key, partition, offset }) => {
    const place = `${key} ${partition}`
    const before = counts.get(place) ?? []
    counts.set(place, [...before, { offset, count: before.length + 1 }])
  })
  return ({ key, partition, offset }: Answer): number =>
    counts.get(`key-${key} ${partition}`)?.findLast((one) => one.offset <= offset)?.count ?? 0
}

let kafka: KafkaService
before(async () => {
  kafka = await startKafka()
})
after(() => kafka.stop())

test('three workers are asked all the time while one is killed and another joins', async (t) => {
  using application = await CountApplication.make(t, kafka.bootstrapServers, {
    name: 'queried',
    records: RECORDS,
    keys: KEYS,
    partitions: PARTITIONS,
    env: {
      WEIR_HTTP_TOKEN: token,
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_SESSION_TIMEOUT_MS: '3000',
      WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
      WEIR_TRANSACTION_TIMEOUT_MS: '3000',
    },
  })
  const { load } = application
  const random = new Random()
  t.diagnostic(`seed of the questions ${random.seed}`)
  const start = async (name: string): Promise<WeirProcess> => {
    const [port] = (await freePorts(1)) as [number]
    return await application.start(name, {
      WEIR_HTTP_PORT: String(port),
      WEIR_APPLICATION_SERVER: `127.0.0.1:${port}`,
    })
  }
  const askers: Asker[] = []
  const ask = (worker: WeirProcess): void => {
    for (const consistency of ['consistent', 'committed'] as const)
      askers.push(new Asker(worker, load, random, consistency))
  }
  const answered = (): number => askers.reduce((sum, { answers }) => sum + answers.length, 0)

  await using one = await start('one')
  await using two = await start('two')
  await using three = await start('three')
  await Promise.all([one, two, three].map((worker) => worker.running()))
  for (const worker of [one, two, three]) ask(worker)
  load.allow(RECORDS / 4)
  await one.until(() => answered() > 200, 'answers nothing')
  const drip = application.drip()
  await sleep(500)
  await three.kill9()
  const killedAt = answered()
  await using four = await start('four')
  await four.running()
  ask(four)
  await one.until(() => answered() > killedAt + 300, 'answers nothing after the kill')
  drip[Symbol.dispose]()
  await application.consumed(one, two, four)
  for (const asker of askers) await asker.stop()

  const exact = await countsByOffset(kafka, load)
  const answers = askers.flatMap((asker) => asker.answers)
  for (const answer of answers)
    assert.equal(answer.count, exact(answer), `${application.seed}: ${JSON.stringify(answer)}`)
  const retries = askers.map((asker) => Object.fromEntries(asker.retries))
  t.diagnostic(`${answers.length} answers; try again: ${JSON.stringify(retries)}`)
  for (const worker of [one, two, four]) {
    const forwarded = await sumOf(worker, 'weir_query_forwarded_total')
    assert.ok(forwarded > 0, 'nothing was forwarded')
    await agrees(worker, load)
  }
  for (const worker of [one, two, four]) await worker.stop()
})

test('a group of the consumer protocol says who has what, too; a worker that nobody can reach is named', async (t) => {
  using application = await CountApplication.make(t, kafka.bootstrapServers, {
    name: 'queried-consumer',
    records: 1_000,
    keys: KEYS,
    partitions: 2,
    env: { WEIR_HTTP_TOKEN: token, WEIR_NUM_STREAM_THREADS: '1', WEIR_GROUP_PROTOCOL: 'consumer' },
  })
  const [port] = (await freePorts(1)) as [number]
  await using named = await application.start('named', {
    WEIR_HTTP_PORT: String(port),
    WEIR_APPLICATION_SERVER: `127.0.0.1:${port}`,
  })
  await using unnamed = await application.start('unnamed')
  await areRunning(1, named, unnamed)
  application.load.allow(1_000)
  await named.until(
    async () => (await named.recordsProcessed()) + (await unnamed.recordsProcessed()) === 1_000,
    'does not process everything, with the other',
  )
  await agrees(unnamed, application.load, 'consistent')
  assert.ok((await sumOf(unnamed, 'weir_query_forwarded_total')) > 0)
  const response = await fetch(`http://127.0.0.1:${port}/state/counts`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(response.status, 503)
  const { code, message } = (await response.json()) as { code: string; message: string }
  assert.equal(code, 'not-present')
  assert.match(message, /^task \d_\d is in another process, .* WEIR_APPLICATION_SERVER is not set there$/)
})

/** Every key, through this worker, has what the model says. */
async function agrees(worker: WeirProcess, load: CountLoad, consistency = 'committed'): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const rows = new Map<string, number>()
  const deadlineMs = Date.now() + 60_000
  let next: string | null = ''
  while (next !== null) {
    const after: string = next === '' ? '' : `&after=${next}`
    const response = await fetch(
      `http://127.0.0.1:${worker.httpPort}/state/counts?limit=50&consistency=${consistency}${after}`,
      { headers },
    )
    if (response.status === 503) {
      const { message } = (await response.json()) as { message: string }
      if (Date.now() > deadlineMs) throw new Error(`it still answers: ${message}`)
      await sleep(50)
      continue
    }
    assert.equal(response.status, 200)
    const body = (await response.json()) as { rows: { key: string; value: number }[]; next: string | null }
    for (const { key, value } of body.rows) rows.set(key, value)
    assert.deepEqual(
      [...rows.keys()].toSorted(),
      [...rows.keys()],
      'rows of all partitions come in the order of their keys',
    )
    next = body.next
  }
  const should = [...load.trueCounts.entries()].filter(([, count]) => count > 0)
  assert.deepEqual(
    [...rows].toSorted(),
    should.map(([key, count]) => [`key-${key}`, count] as const).toSorted(),
  )
}
