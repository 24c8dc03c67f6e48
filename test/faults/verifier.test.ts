/** The verifier of the schedules, on topics as an application would leave them that loses, doubles or swaps a record: it has to see it, and nothing else. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { type KafkaService, startKafka } from '../services/kafka.ts'
import { createTopics, type ProducedRecord, produceAll } from '../services/kafka-client.ts'
import { CommitLog } from './commit-log.ts'
import { type Incident, lostAssignments } from './incidents.ts'
import type { Tables } from './tables.ts'
import { type Verdict, verify } from './verifier.ts'

const KEYS = 3
const NUMBERS = 10
/** Of the record that something happens to: number 5 of key-2. */
const VICTIM = 14
const allOffsets = [...Array(KEYS * NUMBERS).keys()]

/** What one stage, or the count of groups, has written. */
interface Written {
  readonly outputs: ProducedRecord[]
  readonly changelog: ProducedRecord[]
}

interface Application {
  readonly tracked: Written
  readonly groupTracked: Written
  readonly counts: Written
}

/** Key-0, key-1, key-2, key-0, ... with the numbers 1, 1, 1, 2, ... */
function sourceRecord(offset: number): { key: string; number: number } {
  return { key: `key-${offset % KEYS}`, number: Math.floor(offset / KEYS) + 1 }
}

/** A stage that takes these records of its source. @param lifeOf who takes the n-th */
function stage(offsets: readonly number[], lifeOf: (nth: number) => string): Written {
  const written: Written = { outputs: [], changelog: [] }
  const tracks = new Map<
    string,
    { count: number; last: number; gaps: number; repeats: number; sum: number }
  >()
  for (const [nth, offset] of offsets.entries()) {
    const { key, number } = sourceRecord(offset)
    const before = tracks.get(key) ?? { count: 0, last: 0, gaps: 0, repeats: 0, sum: 0 }
    const count = before.count + 1
    const last = Math.max(before.last, number)
    const gaps = before.gaps + Math.max(0, number - before.last - 1)
    const repeats = before.repeats + (number <= before.last ? 1 : 0)
    const sum = (Math.imul(before.sum, 31) + number) | 0
    tracks.set(key, { count, last, gaps, repeats, sum })
    const told = [lifeOf(nth), 0, offset, 1_000 + nth, key, number, count, last, gaps, repeats, sum]
    written.outputs.push({ key, value: told.join(' ') })
    written.changelog.push({ key, value: JSON.stringify({ count, last, gaps, repeats, checksum: sum }) })
  }
  return written
}

/** An application whose stages take these records, each in its order. */
function application(
  offsets: readonly number[],
  lifeOf: (nth: number) => string = () => 'w0.1',
): Application {
  const tracked = stage(offsets, lifeOf)
  const groupTracked = stage(offsets, lifeOf)
  const totals = new Map<string, number>()
  const counted = offsets.map((offset) => {
    const group = `group-${offset % KEYS}`
    const total = (totals.get(group) ?? 0) + 1
    totals.set(group, total)
    const value = Buffer.alloc(8)
    value.writeBigInt64BE(BigInt(total))
    return { key: group, value }
  })
  return { tracked, groupTracked, counts: { outputs: counted, changelog: [...counted] } }
}

let kafka: KafkaService
let applications = 0

before(async () => {
  kafka = await startKafka()
})

after(() => kafka[Symbol.asyncDispose]())

async function judge(
  { tracked, groupTracked, counts }: Application,
  isExactlyOnce = true,
  incidents: readonly Incident[] = [],
  tables: Tables | null = null,
): Promise<Verdict & { kinds: string[] }> {
  const { bootstrapServers } = kafka
  const applicationId = `verified-${++applications}`
  const prefix = `${applicationId}.`
  const source = allOffsets.map(sourceRecord).map(({ key, number }) => ({ key, value: `${number}` }))
  const contents: Record<string, ProducedRecord[]> = {
    [`${prefix}input`]: source,
    [`${prefix}tracked`]: tracked.outputs,
    [`${prefix}group-tracked`]: groupTracked.outputs,
    [`${prefix}group-counts`]: counts.outputs,
    [`${applicationId}-tracks-changelog`]: tracked.changelog,
    [`${applicationId}-group-tracks-changelog`]: groupTracked.changelog,
    [`${applicationId}-group-counts-changelog`]: counts.changelog,
  }
  await createTopics(
    bootstrapServers,
    Object.keys(contents).map((topic) => ({ topic })),
  )
  await Promise.all(
    Object.entries(contents).map(([topic, records]) => produceAll(bootstrapServers, topic, records)),
  )
  const commits = await CommitLog.open(bootstrapServers, applicationId, 1)
  const verdict = await verify({
    bootstrapServers,
    applicationId,
    prefix,
    partitions: 1,
    isExactlyOnce,
    commits,
    incidents,
    tables,
  })
  return { ...verdict, kinds: [...new Set(verdict.problems.map((problem) => problem.split(':')[0]!))] }
}

const without = <T>(list: readonly T[], index: number): T[] => list.toSpliced(index, 1)

test('what is right is found right, under either guarantee', async () => {
  for (const isExactlyOnce of [true, false]) {
    const { records, lost, doubled, reordered, problems } = await judge(
      application(allOffsets),
      isExactlyOnce,
    )
    assert.deepEqual([records, lost, doubled, reordered, problems], [KEYS * NUMBERS, 0, 0, 0, []])
  }
})

test('a record that is not processed is lost, under either guarantee', async () => {
  const skips = application(without(allOffsets, VICTIM))
  for (const isExactlyOnce of [true, false]) {
    const { lost, doubled, reordered, problems, kinds } = await judge(skips, isExactlyOnce)
    // Untold and missing from the state of each stage, and from the count.
    assert.deepEqual([lost, doubled, reordered], [5, 0, 0])
    assert.ok(problems.includes('lost: tracked key-2: 5 of 10 was not told'))
    for (const kind of ['lost', 'lost from the state', 'lost from a count']) assert.ok(kinds.includes(kind))
  }
})

test('an output that is missing is lost, though the state has it', async () => {
  const right = application(allOffsets)
  const { outputs, changelog } = right.groupTracked
  const untold = { ...right, groupTracked: { outputs: without(outputs, VICTIM), changelog } }
  for (const isExactlyOnce of [true, false]) {
    const { lost, problems } = await judge(untold, isExactlyOnce)
    assert.equal(lost, 1)
    assert.ok(problems.includes('lost: group-tracked key-2: 5 of 10 was not told'))
  }
})

test("a state whose last update is missing has lost it, and so has a count's", async () => {
  const right = application(allOffsets)
  const older = ({ outputs, changelog }: Written): Written => ({ outputs, changelog: changelog.slice(0, -1) })
  const forgotten = { ...right, tracked: older(right.tracked), counts: older(right.counts) }
  const exactly = await judge(forgotten)
  assert.equal(exactly.lost, 2)
  assert.deepEqual(exactly.kinds, [
    'lost from the state',
    'the state is not what was told',
    'lost from a count',
  ])
  const atLeast = await judge(forgotten, false)
  assert.deepEqual([atLeast.lost, atLeast.kinds], [2, ['lost from the state', 'lost from a count']])
})

test('exactly once: a record that is processed twice is doubled', async () => {
  const twice = application(allOffsets.toSpliced(VICTIM, 0, VICTIM))
  const { lost, doubled, kinds } = await judge(twice)
  // Told twice and twice in the state of each stage, and counted once more.
  assert.deepEqual([lost, doubled], [0, 5])
  for (const kind of ['doubled', 'doubled in the state', 'doubled in a count'])
    assert.ok(kinds.includes(kind))
})

test('exactly once: an output that is there twice is doubled', async () => {
  const right = application(allOffsets)
  const { outputs, changelog } = right.tracked
  const toldTwice = {
    ...right,
    tracked: { outputs: outputs.toSpliced(VICTIM, 0, outputs[VICTIM]!), changelog },
  }
  const { lost, doubled, reordered, problems } = await judge(toldTwice)
  assert.deepEqual([lost, doubled, reordered], [0, 1, 0])
  assert.match(problems[0]!, /^doubled: tracked key-2: 5 after 5, /)
})

test('exactly once: records of a key in another order are out of order', async () => {
  const swapped = application(allOffsets.with(VICTIM, VICTIM + KEYS).with(VICTIM + KEYS, VICTIM))
  const { lost, reordered, kinds } = await judge(swapped)
  assert.equal(reordered, 2)
  assert.ok(lost > 0, 'the state has skipped a number')
  assert.ok(kinds.includes('out of order') && kinds.includes('told with another state'))
})

test('exactly once: a state that goes back is found', async () => {
  const right = application(allOffsets)
  const { outputs, changelog } = right.tracked
  const goesBack = {
    ...right,
    tracked: { outputs, changelog: changelog.toSpliced(VICTIM + 1, 0, changelog[VICTIM - KEYS]!) },
  }
  const { reordered, kinds } = await judge(goesBack)
  assert.deepEqual([reordered, kinds], [1, ['the state went back']])
})

test('at least once: records are repeated after a crash, and not without one', async () => {
  const again = [...allOffsets.slice(0, VICTIM + 1), ...allOffsets.slice(VICTIM - KEYS)]
  const repeats = application(again, (nth) => (nth <= VICTIM ? 'w0.1' : 'w0.2'))
  const unasked = await judge(repeats, false)
  assert.deepEqual(
    [unasked.lost, unasked.doubled, unasked.kinds],
    [0, 2 * (KEYS + 1), ['repeated without a crash or a lost assignment']],
  )
  const killed: Incident = { kind: 'worker-kill', worker: 0, life: 'w0.1', fromMs: 1_000, toMs: 1_000 }
  const asked = await judge(repeats, false, [killed])
  assert.deepEqual([asked.lost, asked.doubled, asked.problems], [0, 2 * (KEYS + 1), []])
})

test('at least once: records are repeated after an assignment that was lost', async () => {
  const again = [...allOffsets.slice(0, VICTIM + 1), ...allOffsets.slice(VICTIM - KEYS)]
  const [atMs, ...others] = lostAssignments(
    [
      '{"level":"info","time":"1970-01-01T00:00:01.000Z","partitions":4,"message":"partitions revoked"}',
      '{"level":"info","time":"1970-01-01T00:00:02.000Z","partitions":4,"message":"partitions lost"}',
      '',
    ].join('\n'),
  )
  assert.deepEqual([atMs, others], [2_000, []])
  const lost: Incident = { kind: 'assignment-lost', worker: 0, life: 'w0.1', fromMs: 1_000, toMs: 2_000 }
  const { problems } = await judge(
    application(again, () => 'w0.1'),
    false,
    [lost],
  )
  assert.deepEqual(problems, [])
})

/** As a tiered store leaves them. @param last the last number whose row each key has */
function tables(last: number): Tables {
  const rows = (numbers: number): [string, number[]][] =>
    [...Array(KEYS).keys()].map((key) => [`key-${key}`, [...Array(numbers).keys()].map((one) => one + 1)])
  const tracks = rows(last).map(([key, numbers]) => {
    const checksum = numbers.reduce((sum, number) => (Math.imul(sum, 31) + number) | 0, 0)
    return [key, { count: numbers.length, last, gaps: 0, repeats: 0, checksum }] as const
  })
  return { tracks: new Map(tracks), marks: new Map(rows(last).map(([key]) => [key, last])) }
}

test('tiered stores: rows are those of the last records, under either guarantee', async () => {
  const right = application(allOffsets)
  for (const isExactlyOnce of [true, false]) {
    const { problems } = await judge(right, isExactlyOnce, [], tables(NUMBERS))
    assert.deepEqual(problems, [])
  }
})

test('tiered stores: a row that is older, missing, another than was told or of no record is found', async () => {
  const right = application(allOffsets)
  const judged = async (wrong: Tables): Promise<[number, string[]]> => {
    const { lost, kinds } = await judge(right, false, [], wrong)
    return [lost, kinds]
  }
  const { tracks, marks } = tables(NUMBERS)
  assert.deepEqual(await judged(tables(NUMBERS - 1)), [
    2 * KEYS,
    ['lost from the state', 'a row is not what was told', 'lost from a row'],
  ])
  const missing = { tracks: new Map([...tracks].slice(1)), marks: new Map([...marks].slice(1)) }
  assert.deepEqual(await judged(missing), [2, ['lost from the state', 'lost from a row']])
  const other = new Map([...tracks]).set('key-1', { ...tracks.get('key-1')!, count: NUMBERS + 1, repeats: 1 })
  assert.deepEqual(await judged({ tracks: other, marks }), [0, ['a row is not what was told']])
  const more = new Map([...marks]).set('key-9', 1)
  assert.deepEqual(await judged({ tracks, marks: more }), [0, ['a row of no record']])
})
