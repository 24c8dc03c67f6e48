import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const KEYS = 500
const CITIES = ['Bern', 'Oslo', 'Rome']
const READ = 'weir_consume_records_total{thread="global",topic="rows"}'

test('global stores are whole before a task runs, followed by every thread, and whole again after restarts', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createTopics(bootstrapServers, { a: 4, rows: 3, people: 2, questions: 4, out: 1, answers: 1 })
  const rows = new Map<string, string>()
  const counts = new Map<string, number>()
  let written = 0
  /** Changes of the table, deletions and a null key among them, and people for the cities. */
  const change = async (records: number): Promise<void> => {
    const changes = Array.from({ length: records }, () => {
      const key = `k${random.below(KEYS)}`
      const value = random.below(10) === 0 ? null : `v${written++}`
      if (value === null) rows.delete(key)
      else rows.set(key, value)
      return { topic: 'rows', key, value, timestamp: 1_000 }
    })
    const people = Array.from({ length: 20 }, (_, index) => {
      const city = random.pick(CITIES)
      counts.set(city, (counts.get(city) ?? 0) + 1)
      return { topic: 'people', key: `p${index}`, value: city, timestamp: 1_000 }
    })
    const dropped = { topic: 'rows', key: null, value: 'nobody', timestamp: 1_000 }
    await produceAll(bootstrapServers, [...changes, dropped, ...people])
  }
  let asked = 0
  /** Asks for every row, on every partition, and for the counts. @returns the last answers */
  const ask = async (worker: WeirProcess): Promise<{ rows: string[]; cities: string[] }> => {
    const round = ++asked
    const questions = [0, 1, 2, 3].flatMap((partition) => [
      ...Array.from({ length: KEYS }, (_, index) => ({ topic: 'a', partition, value: `k${index}` })),
      { topic: 'questions', partition, value: 'all' },
    ])
    const records = questions.map((question) => ({ ...question, key: `${round}`, timestamp: 2_000 }))
    await worker.whileRunning(produceAll(bootstrapServers, records))
    await worker.whileRunning(
      waitUntilConsumed(bootstrapServers, 'global', ['a', 'questions'], { timeoutMs: 60_000 }),
    )
    const of = async (topic: string): Promise<string[]> =>
      (await readToEnd(bootstrapServers, topic))
        .filter(({ key }) => String(key) === `${round}`)
        .map(({ value }) => String(value))
        .sort()
    return { rows: [...new Set(await of('out'))], cities: [...new Set(await of('answers'))] }
  }
  const expected = (): { rows: string[]; cities: string[] } => ({
    rows: Array.from({ length: KEYS }, (_, index) => `k${index}=${rows.get(`k${index}`) ?? null}`).sort(),
    cities: [CITIES.map((city) => `${city}:${counts.get(city)}`).join()],
  })
  /** Updates of a running table arrive a little later. */
  const askUntilExpected = async (worker: WeirProcess): Promise<void> => {
    for (let round = 0; round < 20; round++) {
      const answers = await ask(worker)
      if (JSON.stringify(answers) === JSON.stringify(expected())) return
    }
    assert.deepEqual(await ask(worker), expected(), `seed ${random.seed}`)
  }
  const stateDir = makeScratchDir('global')
  const options = {
    module: 'test/support/topologies/global-table.ts',
    applicationId: 'global',
    bootstrapServers,
    stateDir,
    env: {
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_COMMIT_INTERVAL_MS: '100',
      ...sameMember,
    },
  }

  await change(5_000)
  await using first = await WeirProcess.start(options)
  assert.deepEqual(await ask(first), expected(), `from the beginning, seed ${random.seed}`)
  for (let round = 0; round < 3; round++) {
    await change(200)
    await askUntilExpected(first)
  }
  const metrics = await first.metrics()
  assert.equal(metrics.get(READ), 5_000 + 3 * 200 + 4)
  await first.stop()

  await change(300)
  await using second = await WeirProcess.start(options)
  assert.deepEqual(await ask(second), expected(), `after a stop, seed ${random.seed}`)
  assert.equal((await second.metrics()).get(READ), 301, 'what was there is not read again')
  await change(300)
  await askUntilExpected(second)
  await second.kill9()

  await change(300)
  await using third = await WeirProcess.start(options)
  assert.deepEqual(await ask(third), expected(), `after a crash, seed ${random.seed}`)
  await third.stop()

  rmSync(stateDir, { recursive: true })
  await using fourth = await WeirProcess.start(options)
  assert.deepEqual(await ask(fourth), expected(), `without the state folder, seed ${random.seed}`)
  await fourth.stop()
})

test('an application whose global topic is missing or cannot be read says so and ends', async () => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, { a: 1, rows: 1, questions: 1, out: 1, answers: 1 })
  const options = {
    module: 'test/support/topologies/global-table.ts',
    applicationId: 'global',
    bootstrapServers,
    stateDir: makeScratchDir('global'),
  }
  await using first = await WeirProcess.start(options)
  const { code, stdout, stderr } = await first.exited
  assert.equal(code, 1)
  assert.match(stdout + stderr, /source topic people does not exist/)

  await produceAll(bootstrapServers, [{ topic: 'rows', key: 'k', value: 'no number', timestamp: 1_000 }])
  await using second = await WeirProcess.start({
    ...options,
    module: 'test/support/topologies/global-numbers.ts',
    stateDir: makeScratchDir('global-numbers'),
  })
  const end = await second.exited
  assert.equal(end.code, 1)
  assert.match(end.stdout + end.stderr, /weir: rows partition 0 offset 0: .* is no int64/)
})
