import type { IsolationLevel } from '../services/kafka-client.ts'
import { TopicReader } from '../support/topic-reader.ts'
import type { CommitLog } from './commit-log.ts'
import type { Incident } from './incidents.ts'
import { Problems } from './problems.ts'
import { judgeRepeats } from './repeats.ts'
import { judgeTables, type Tables } from './tables.ts'

/** An application of test/support/topologies/tracked.ts after its end. */
export interface VerifiedApplication {
  readonly bootstrapServers: string
  readonly applicationId: string
  /** Of its topics. */
  readonly prefix: string
  readonly partitions: number
  readonly isExactlyOnce: boolean
  readonly commits: CommitLog
  readonly incidents: readonly Incident[]
  /** Of the first stage's stores, where these are tiered; null otherwise. Default: null. */
  readonly tables?: Tables | null
}

export interface Verdict {
  /** In the source. */
  records: number
  /** Updates that no output, or no state, has. */
  lost: number
  /** Updates that an output or a state has more than once. */
  doubled: number
  /** Updates that were told after a later one of the same key, and not before it. */
  reordered: number
  /** What is wrong, in words; the first of each kind. */
  readonly problems: string[]
}

/** What a stage told of a record. */
export interface Told {
  readonly life: string
  /** Of the stage's source. */
  readonly partition: number
  readonly offset: number
  /** When it was processed, ms since 1970. */
  readonly atMs: number
  readonly key: string
  readonly number: number
  readonly track: Track
}

/** What a stage has seen of a key, as its state has it. */
export interface Track {
  readonly count: number
  readonly last: number
  readonly gaps: number
  readonly repeats: number
  readonly checksum: number
}

/**
 * Judges an application by its topics alone, and its tables where stores are tiered; shares no code with Weir. REQUIRES that it has ended, with everything committed.
 *
 * - exactly once: every stage has told every number of every key once, in order, with a state that had seen those before it and nothing else
 * - at least once: every stage has told every number, and its last state has seen every one; what was told again was so after a crash or a lost assignment, and
 *   had not been committed (repeats.ts)
 */
export async function verify(application: VerifiedApplication): Promise<Verdict> {
  const { applicationId, prefix, isExactlyOnce, commits, incidents, tables = null } = application
  const verdict: Verdict = { records: 0, lost: 0, doubled: 0, reordered: 0, problems: [] }
  const problems = new Problems()
  const topics = await readTopics(application)
  const numbers = sourceNumbers(topics.source, problems)
  for (const last of numbers.values()) verdict.records += last
  for (const stage of topics.stages) {
    if (isExactlyOnce) judgeExactly(stage, numbers, verdict, problems)
    else {
      judgeAtLeast(stage, numbers, verdict, problems)
      const source = stage.name === 'tracked' ? `${prefix}input` : `${applicationId}-groups-repartition`
      const tasks = Map.groupBy(stage.told, ({ partition }) => partition)
      for (const [partition, told] of tasks) {
        const task = {
          name: `${stage.name} partition ${partition}`,
          told,
          commits: commits.of(source, partition),
        }
        for (const problem of judgeRepeats(task, incidents)) problems.add(problem.kind, problem.what)
      }
    }
    judgeState(stage, numbers, isExactlyOnce, verdict, problems)
  }
  if (tables !== null) judgeTables(tables, topics.stages[0]!.told, numbers, verdict, problems)
  judgeCounts(topics, numbers, isExactlyOnce, verdict, problems)
  verdict.problems.push(...problems.lines)
  return verdict
}

interface Stage {
  readonly name: string
  readonly told: Told[]
  /** The changelog's records of each key, in order; of a tiered store, whose changelog is short, the table's row. */
  readonly changelog: Map<string, Track[]>
}

interface Topics {
  readonly source: { key: string; number: number }[]
  readonly stages: readonly Stage[]
  /** Of each group: what was told, and what the changelog has. */
  readonly counts: Map<string, number[]>
  readonly countsChangelog: Map<string, number[]>
}

async function readTopics(application: VerifiedApplication): Promise<Topics> {
  const { bootstrapServers, applicationId, prefix, partitions, isExactlyOnce, tables = null } = application
  const isolation: IsolationLevel = isExactlyOnce ? 'read_committed' : 'read_uncommitted'
  await using reader = await TopicReader.open(bootstrapServers, applicationId, isolation)
  const read = async (topic: string, visit: (key: string, value: Buffer | null) => void): Promise<void> => {
    const ends = await reader.ends(topic, partitions)
    await reader.read(topic, Array<number>(partitions).fill(0), ends, ({ key, value }) =>
      visit(key!.toString(), value),
    )
  }
  /** @param absent what a changelog's deletion leaves */
  const perKey = async <T>(
    topic: string,
    decode: (value: Buffer) => T,
    absent: T,
  ): Promise<Map<string, T[]>> => {
    const all = new Map<string, T[]>()
    await read(topic, (key, value) => {
      const decoded = value === null ? absent : decode(value)
      const values = all.get(key)
      if (values === undefined) all.set(key, [decoded])
      else values.push(decoded)
    })
    return all
  }
  const source: Topics['source'] = []
  await read(`${prefix}input`, (key, value) => source.push({ key, number: Number(value!.toString()) }))
  const stages: Stage[] = []
  for (const [name, store] of [
    ['tracked', 'tracks'],
    ['group-tracked', 'group-tracks'],
  ] as const) {
    const told: Told[] = []
    await read(`${prefix}${name}`, (_, value) => told.push(decodeTold(value!.toString())))
    const changelog =
      store === 'tracks' && tables !== null
        ? new Map(Array.from(tables.tracks, ([key, track]) => [key, [track]]))
        : await perKey(
            `${applicationId}-${store}-changelog`,
            (value) => JSON.parse(value.toString()) as Track,
            { count: 0, last: 0, gaps: 0, repeats: 0, checksum: 0 },
          )
    stages.push({ name, told, changelog })
  }
  const int64 = (value: Buffer): number => Number(value.readBigInt64BE(0))
  return {
    source,
    stages,
    counts: await perKey(`${prefix}group-counts`, int64, 0),
    countsChangelog: await perKey(`${applicationId}-group-counts-changelog`, int64, 0),
  }
}

function decodeTold(text: string): Told {
  const [life = '', partition, offset, atMs, key = '', ...rest] = text.split(' ')
  const [number, count, last, gaps, repeats, checksum] = rest.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return {
    life,
    partition: Number(partition),
    offset: Number(offset),
    atMs: Number(atMs),
    key,
    number,
    track: { count, last, gaps, repeats, checksum },
  }
}

/** @returns the last number of each key; the load itself has to be whole */
function sourceNumbers(source: Topics['source'], problems: Problems): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const { key, number } of source) {
    const last = numbers.get(key) ?? 0
    if (number !== last + 1) problems.add('the load is not what it says', `${key}: ${number} after ${last}`)
    numbers.set(key, number)
  }
  return numbers
}

function judgeExactly(
  { name, told }: Stage,
  numbers: ReadonlyMap<string, number>,
  verdict: Verdict,
  problems: Problems,
): void {
  const seen = new Map<string, { readonly numbers: Set<number>; highest: number; checksum: number }>()
  for (const one of told) {
    const { key, number, track } = one
    const of = seen.get(key) ?? { numbers: new Set(), highest: 0, checksum: 0 }
    seen.set(key, of)
    const where = `${name} ${key}: ${number} after ${of.highest}, by ${one.life} from ${one.partition}@${one.offset}`
    if (of.numbers.has(number)) {
      verdict.doubled++
      problems.add('doubled', where)
    } else if (number < of.highest) {
      verdict.reordered++
      problems.add('out of order', where)
    }
    of.numbers.add(number)
    of.highest = Math.max(of.highest, number)
    of.checksum = (Math.imul(of.checksum, 31) + number) | 0
    const should: Track = { count: number, last: number, gaps: 0, repeats: 0, checksum: of.checksum }
    if (track.count !== number || track.gaps + track.repeats !== 0 || track.checksum !== of.checksum)
      problems.add(
        'told with another state',
        `${where}: ${JSON.stringify(track)}, not ${JSON.stringify(should)}`,
      )
  }
  judgeMissing(name, (key) => seen.get(key)?.numbers ?? new Set(), numbers, verdict, problems)
}

function judgeAtLeast(
  { name, told }: Stage,
  numbers: ReadonlyMap<string, number>,
  verdict: Verdict,
  problems: Problems,
): void {
  const seen = new Map<string, Set<number>>()
  for (const { key, number } of told) {
    const of = seen.get(key) ?? new Set()
    seen.set(key, of)
    if (of.has(number)) verdict.doubled++
    of.add(number)
  }
  judgeMissing(name, (key) => seen.get(key) ?? new Set(), numbers, verdict, problems)
}

function judgeMissing(
  name: string,
  told: (key: string) => ReadonlySet<number>,
  numbers: ReadonlyMap<string, number>,
  verdict: Verdict,
  problems: Problems,
): void {
  for (const [key, last] of numbers) {
    const of = told(key)
    for (let number = 1; number <= last; number++) {
      if (of.has(number)) continue
      verdict.lost++
      problems.add('lost', `${name} ${key}: ${number} of ${last} was not told`)
    }
  }
}

/** The changelog, or the table, is what the state is after a restore. */
function judgeState(
  { name, told, changelog }: Stage,
  numbers: ReadonlyMap<string, number>,
  isExactlyOnce: boolean,
  verdict: Verdict,
  problems: Problems,
): void {
  const lastTold = new Map(told.map(({ key, track }) => [key, track]))
  for (const [key, last] of numbers) {
    const tracks = changelog.get(key) ?? []
    const final = tracks.at(-1)
    const where = `${name} ${key}: the state ends with ${JSON.stringify(final)}`
    if (final === undefined || final.last < last || final.gaps > 0 || final.count < last) {
      verdict.lost++
      problems.add('lost from the state', `${where}, the source with ${last}`)
    }
    if (!isExactlyOnce) continue
    if (final !== undefined && (final.count > last || final.repeats > 0)) {
      verdict.doubled++
      problems.add('doubled in the state', `${where}, the source with ${last}`)
    }
    if (final?.checksum !== lastTold.get(key)?.checksum)
      problems.add(
        'the state is not what was told',
        `${where}, told was ${JSON.stringify(lastTold.get(key))}`,
      )
    for (const [index, track] of tracks.entries()) {
      const before = tracks[index - 1]
      if (before === undefined || track.count > before.count) continue
      verdict.reordered++
      problems.add('the state went back', `${name} ${key}: ${track.count} after ${before.count}`)
    }
  }
}

/** The count of each group goes up by one with each record of its keys. */
function judgeCounts(
  { counts, countsChangelog }: Topics,
  numbers: ReadonlyMap<string, number>,
  isExactlyOnce: boolean,
  verdict: Verdict,
  problems: Problems,
): void {
  const totals = new Map<string, number>()
  for (const [key, last] of numbers) {
    const group = `group-${Number(key.slice('key-'.length)) % 16}`
    totals.set(group, (totals.get(group) ?? 0) + last)
  }
  for (const [group, total] of totals) {
    const told = counts.get(group) ?? []
    const kept = countsChangelog.get(group) ?? []
    const highest = told.reduce((most, count) => Math.max(most, count), 0)
    const final = kept.at(-1) ?? 0
    const where = `${group}: told ${highest}, kept ${final}, of ${total}`
    if (Math.min(highest, final) < total) {
      verdict.lost += total - Math.min(highest, final)
      problems.add('lost from a count', where)
    }
    if (!isExactlyOnce) continue
    if (Math.max(highest, final) > total) {
      verdict.doubled += Math.max(highest, final) - total
      problems.add('doubled in a count', where)
    }
    const broken = told.findIndex((count, index) => count !== index + 1)
    if (broken >= 0)
      problems.add('a count does not go up by one', `${group}: ${told[broken]} after ${broken}`)
  }
}
