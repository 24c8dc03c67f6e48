import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { DIFFERENCE_MS, GRACE_MS } from '../support/topologies/joins.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const partitions = 2
const keys = ['ann', 'bob', 'cem', 'dia', 'eva']

interface Sent {
  readonly topic: 'left' | 'right'
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

/** Computed over all records at once. */
function expectedOf(sent: readonly Sent[]): { met: string[]; alone: string[] } {
  const met: string[] = []
  const matched = new Set<Sent>()
  for (const left of sent.filter(({ topic }) => topic === 'left')) {
    for (const right of sent) {
      if (right.topic === 'left' || right.key !== left.key) continue
      if (Math.abs(right.timestamp - left.timestamp) > DIFFERENCE_MS) continue
      met.push(`${left.key} ${left.value}+${right.value} ${Math.max(left.timestamp, right.timestamp)}`)
      matched.add(left).add(right)
    }
  }
  const alone = sent
    .filter((record) => !matched.has(record))
    .map(({ topic, key, value, timestamp }) =>
      topic === 'left' ? `${key} ${value}+null ${timestamp}` : `${key} null+${value} ${timestamp}`,
    )
  return { met: met.sort(), alone: alone.sort() }
}

test('what waits in a join is neither lost nor doubled when the worker is killed and its disk is gone', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createTopics(bootstrapServers, { left: partitions, right: partitions, met: 1, alone: 1, rows: 1 })
  // Not long ago, so that the broker's own retention leaves the changelogs alone; and nothing is of the future, which it refuses.
  const startMs = Date.now() - 4 * GRACE_MS
  const sent: Sent[] = []
  const send = async (records: readonly Sent[]): Promise<void> => {
    await produceAll(bootstrapServers, [...records])
  }
  // In order: a record that comes after its window is told alone at once, whatever may join it later.
  const newRecords = (count: number, fromMs: number): Sent[] =>
    Array.from({ length: count }, (_, index) => {
      const topic = random.pick(['left', 'right'] as const)
      const record = {
        topic,
        key: random.pick(keys),
        value: `${topic[0]}${sent.length}`,
        timestamp: fromMs + index * 1_000 + random.below(1_000),
      }
      sent.push(record)
      return record
    })
  const options = {
    module: 'test/support/topologies/joins.ts',
    applicationId: 'joins',
    bootstrapServers,
    stateDir: makeScratchDir('joins'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '200', ...sameMember },
  }
  const consumed = (worker: WeirProcess): Promise<void> =>
    worker.whileRunning(
      waitUntilConsumed(bootstrapServers, 'joins', ['left', 'right'], { timeoutMs: 60_000 }),
    )
  /** At least once: what came twice is there once. */
  const linesOf = async (topic: string): Promise<string[]> => {
    const records = await readToEnd(bootstrapServers, topic)
    const lines = records.map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`)
    return [...new Set(lines)].filter((line) => !line.includes('closing')).sort()
  }

  await using first = await WeirProcess.start(options)
  await send(newRecords(150, startMs))
  await consumed(first)
  await first.kill9()

  rmSync(options.stateDir, { recursive: true })
  await using second = await WeirProcess.start({ ...options, stateDir: makeScratchDir('joins-again') })
  await send(newRecords(150, startMs + 150_000))
  await consumed(second)
  const expected = expectedOf(sent)
  assert.ok(expected.alone.length > 10 && expected.met.length > 10)
  // The right stream comes by way of its repartition topic, later than it is consumed.
  for (let round = 0; (await linesOf('met')).length < expected.met.length && round < 100; round++)
    await second.whileRunning(sleep(100))
  assert.deepEqual(await linesOf('met'), expected.met, `seed ${random.seed}`)

  // Records far ahead end every window; results of that come once a second.
  const endMs = startMs + 400_000 + 2 * GRACE_MS
  for (let round = 0; (await linesOf('alone')).length < expected.alone.length && round < 30; round++) {
    await send(
      keys.map((key) => ({ topic: 'left', key, value: 'closing', timestamp: endMs + round * DIFFERENCE_MS })),
    )
    await consumed(second)
  }
  assert.deepEqual(await linesOf('alone'), expected.alone, `seed ${random.seed}`)

  // The tables' last word on each key.
  const last = (topic: string, key: string): string | undefined =>
    sent.findLast((record) => record.topic === topic && record.key === key)?.value
  const rows = async (): Promise<string[]> => {
    const records = await readToEnd(bootstrapServers, 'rows')
    const byKey = new Map(records.map(({ key, value }) => [String(key), String(value)]))
    return keys.map((key) => byKey.get(key) ?? 'none')
  }
  const lastRows = keys.map((key) => `closing+${last('right', key) ?? null}`)
  for (let round = 0; (await rows()).join() !== lastRows.join() && round < 100; round++)
    await second.whileRunning(sleep(100))
  assert.deepEqual(await rows(), lastRows, `seed ${random.seed}`)
  await second.stop()
})
