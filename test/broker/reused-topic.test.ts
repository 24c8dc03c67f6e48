/** A table without a changelog, on a real broker: its rows come back from its own topic, up to what was committed. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'

import {
  createTopics,
  lastValues,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { listTopics } from '../services/kafka-client.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const people = 500

test("a table's rows come back from its topic: after a stop, a kill, and on another disk", async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createTopics(bootstrapServers, { people: 2, visits: 2, pets: 4, greetings: 2 })
  const names = new Map<string, string | null>()
  const options = {
    module: 'test/support/topologies/reused-table.ts',
    applicationId: 'reused',
    bootstrapServers,
    stateDir: makeScratchDir('reused'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '200', ...sameMember },
  }
  const consumed = (worker: WeirProcess): Promise<void> =>
    worker.whileRunning(
      waitUntilConsumed(bootstrapServers, 'reused', ['people', 'visits'], { timeoutMs: 60_000 }),
    )
  const rename = async (count: number): Promise<void> => {
    const renamed = Array.from({ length: count }, () => {
      const key = `person-${random.below(people)}`
      const value = random.below(5) === 0 ? null : `name-${random.below(1_000_000)}`
      names.set(key, value)
      return { topic: 'people', key, value, timestamp: Date.now() }
    })
    await produceAll(bootstrapServers, renamed)
  }
  /** Everybody visits, and is greeted by the present name. */
  const visit = async (worker: WeirProcess, day: string): Promise<void> => {
    const keys = Array.from({ length: people }, (_, person) => `person-${person}`)
    await produceAll(
      bootstrapServers,
      keys.map((key) => ({ topic: 'visits', key, value: day, timestamp: Date.now() })),
    )
    await consumed(worker)
    const greetings = lastValues(await readToEnd(bootstrapServers, 'greetings'))
    for (const key of keys) assert.equal(greetings.get(key), `${day} ${names.get(key) ?? 'nobody'}`, key)
  }

  await rename(3_000)
  {
    await using worker = await WeirProcess.start(options)
    await consumed(worker)
    await visit(worker, 'monday')
    await worker.stop()
  }
  {
    await using worker = await WeirProcess.start(options)
    await visit(worker, 'tuesday')
    await rename(500)
    await consumed(worker)
    await worker.kill9()
  }
  {
    await using worker = await WeirProcess.start(options)
    await visit(worker, 'wednesday')
    await worker.kill9()
  }
  rmSync(options.stateDir, { recursive: true })
  {
    await using worker = await WeirProcess.start(options)
    await visit(worker, 'thursday')
    await worker.stop()
  }
  const topics = [...(await listTopics(bootstrapServers)).keys()].filter((name) => !name.startsWith('__'))
  assert.deepEqual(topics.sort(), ['greetings', 'people', 'pets', 'visits'])
})
