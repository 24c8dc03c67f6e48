import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import type { Windowed } from '../../src/index.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { GAP_MS, RETENTION_MS, WINDOW_MS } from '../support/topologies/windows.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const partitions = 2
const users = ['ann', 'bob', 'cem', 'dia', 'eva']

interface Visit {
  readonly user: string
  readonly value: string
  readonly timestamp: number
}

interface Told {
  readonly windows: { key: Windowed<string>; value: { value: number; timestamp: number } }[]
  readonly visits: { key: Windowed<string>; value: string }[]
  readonly sessions: { key: Windowed<string>; value: number }[]
}

/** What is told of visits in their order: computed over all of them at once, for those that are certain to be kept. */
function expectedOf(visits: readonly Visit[]): string[] {
  const lines: string[] = []
  for (const [user, own] of Map.groupBy(visits, (visit) => visit.user)) {
    for (const [window, inside] of Map.groupBy(own, ({ timestamp }) => Math.floor(timestamp / WINDOW_MS))) {
      const last = inside.at(-1)!.timestamp
      lines.push(`${user} window ${window * WINDOW_MS} ${inside.length} ${last}`)
    }
    for (const { timestamp, value } of own) lines.push(`${user} visit ${timestamp} ${value}`)
    const times = own.map(({ timestamp }) => timestamp).sort((a, b) => a - b)
    let start = 0
    for (let index = 1; index <= times.length; index++) {
      if (index < times.length && times[index]! - times[index - 1]! <= GAP_MS) continue
      lines.push(`${user} session ${times[start]}-${times[index - 1]} ${index - start}`)
      start = index
    }
  }
  return lines.sort()
}

function linesOf({ windows, visits, sessions }: Told): string[] {
  return [
    ...windows.map(
      ({ key, value }) => `${key.key} window ${key.window.start} ${value.value} ${value.timestamp}`,
    ),
    ...visits.map(({ key, value }) => `${key.key} visit ${key.window.start} ${value}`),
    ...sessions.map(({ key, value }) => `${key.key} session ${key.window.start}-${key.window.end} ${value}`),
  ].sort()
}

test('window and session stores on another disk hold what they held before', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createTopics(bootstrapServers, { visits: partitions, answers: 1 })
  // By now, so that the broker's own retention leaves the changelogs alone. The newest are told at the end.
  const startMs = Date.now() - 600_000
  const newVisits = (count: number, fromMs: number, lengthMs: number): Visit[] =>
    Array.from({ length: count }, (_, index) => ({
      user: random.pick(users),
      value: `v${index}`,
      // Up to four seconds late.
      timestamp: Math.floor(fromMs + (index / count) * lengthMs) - random.below(4_000),
    }))
  const send = async (visits: readonly Visit[]): Promise<void> => {
    await produceAll(
      bootstrapServers,
      visits.map(({ user, value, timestamp }) => ({
        topic: 'visits',
        key: user,
        value,
        timestamp,
        partition: users.indexOf(user) % partitions,
      })),
    )
  }
  let asked = 0
  const options = {
    module: 'test/support/topologies/windows.ts',
    applicationId: 'windows',
    bootstrapServers,
    stateDir: makeScratchDir('windows'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '200', ...sameMember },
  }
  const consumed = (worker: WeirProcess): Promise<void> =>
    worker.whileRunning(waitUntilConsumed(bootstrapServers, 'windows', ['visits'], { timeoutMs: 60_000 }))
  /** What every partition has, in the words of its answer. */
  const ask = async (worker: WeirProcess, timestamp: number): Promise<string[]> => {
    await produceAll(
      bootstrapServers,
      Array.from({ length: partitions }, (_, partition) => ({
        topic: 'visits',
        key: 'all',
        value: 'tell',
        timestamp,
        partition,
      })),
    )
    await consumed(worker)
    asked += partitions
    const answers = await readToEnd(bootstrapServers, 'answers')
    assert.equal(answers.length, asked)
    return answers.slice(-partitions).flatMap(({ value }) => linesOf(JSON.parse(value!.toString()) as Told))
  }

  // Enough that segments expire, then a minute of which nothing does.
  const early = newVisits(2_000, startMs, 4 * RETENTION_MS)
  const lateMs = startMs + 6 * RETENTION_MS
  const late = newVisits(500, lateMs, 60_000)
  await using first = await WeirProcess.start(options)
  await send(early)
  await send(late)
  // A last one per partition brings both to the same time.
  const last = users.slice(0, partitions).map((user) => ({ user, value: 'last', timestamp: lateMs + 60_000 }))
  await send(last)
  await consumed(first)
  const before = await ask(first, lateMs + 60_000)
  assert.deepEqual(before.sort(), expectedOf([...late, ...last]), `seed ${random.seed}`)
  await first.kill9()

  rmSync(options.stateDir, { recursive: true })
  await using second = await WeirProcess.start({ ...options, stateDir: makeScratchDir('windows-again') })
  const after = await ask(second, lateMs + 60_000)
  assert.deepEqual(after.sort(), before, `seed ${random.seed}`)
  // And goes on where it was: sessions grow, duplicates stay beside each other.
  const more = newVisits(300, lateMs + 50_000, 10_000)
  await send(more)
  const grown = await ask(second, lateMs + 60_000)
  assert.deepEqual(grown.sort(), expectedOf([...late, ...last, ...more]), `seed ${random.seed}`)
  await second.stop()
})
