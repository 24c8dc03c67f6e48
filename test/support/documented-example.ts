/**
 * The examples of docs/operators: below a heading, a block of `ts`, which is the body of `defineTopology((builder) => { ... })` with all of Weir's
 * exports at hand, then one of `text`, which says what is piped in and what comes out:
 *
 *     views  ada home @1000          a record: topic, key, value, timestamp (default: 0)
 *       pages  home 1 @1000          what it caused, in order for each topic; the timestamp may be left out
 *     +60000                         the wall clock moves on, ms
 *     nodes KSTREAM-FILTER-0000000001   nodes that the topology has
 *     topics counts-changelog        all internal topics, without the application's name
 *
 * Keys and values are JSON or a word. A windowed key is `key@start-end`.
 */
import assert from 'node:assert/strict'

import type { Windowed } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'
import {
  type SinkDefinition,
  type SourceDefinition,
  sinkTopics,
  type TopologyDefinition,
} from '../../src/topology/definition.ts'
import { wholeMatcher } from '../../src/topology/topic-patterns.ts'
import type { TopologyModule } from '../../src/topology/topology-module.ts'

export interface DocumentedExample {
  /** Of the innermost heading above it, without backticks. */
  readonly heading: string
  readonly code: string
  /** Of the code, in the page. */
  readonly line: number
  readonly records: string
}

interface Step {
  /** As it stands in the page. */
  readonly given: string
  readonly outputs: string[]
}

const EXAMPLE = /```ts\n(.*?)```\s*```text\n(.*?)```/gs

/** @throws when a block of code has no records below it */
export function examplesOf(page: string): DocumentedExample[] {
  const examples = Array.from(page.matchAll(EXAMPLE), (match): DocumentedExample => {
    const above = page.slice(0, match.index)
    const headings = [...above.matchAll(/^#+ (.*)$/gm)]
    return {
      heading: headings.at(-1)![1]!.replaceAll('`', ''),
      code: match[1]!,
      line: above.split('\n').length + 1,
      records: match[2]!,
    }
  })
  const blocks = [...page.matchAll(/```ts\n/g)].length
  assert.equal(examples.length, blocks, 'a block of ts has no block of text directly below it')
  return examples
}

/** Pipes what the page says, and compares what comes out. */
export async function runExample(topology: TopologyModule, records: string): Promise<void> {
  const definition = topology.build()
  const steps: Step[] = []
  for (const line of records.split('\n').filter((text) => text.trim() !== '')) {
    const [keyword, ...names] = line.split(/\s+/)
    if (keyword === 'nodes') checkNodes(definition, names)
    else if (keyword === 'topics') assert.deepEqual(internalTopics(definition), names.sort())
    else if (keyword === '') steps.at(-1)!.outputs.push(line.trim())
    else steps.push({ given: line, outputs: [] })
  }
  const nodes = [
    ...definition.subtopologies.flatMap((subtopology) => subtopology.nodes),
    ...(definition.globalStores ?? []).map(({ source }) => source),
  ]
  const sources = nodes.filter((node) => node.kind === 'source')
  const sinks = nodes.filter((node) => node.kind === 'sink')
  await using driver = await TopologyTestDriver.open(topology, { initialWallClockTimeMs: 0 })
  assert.ok(steps.length > 0, 'nothing is piped in')
  for (const { given, outputs } of steps) {
    await feed(driver, sources, given)
    const told = sinks.flatMap((sink) => taken(driver, sink))
    const topics = [...new Set([...told, ...outputs].map((row) => row.split(' ')[0]!))].sort()
    for (const topic of topics) {
      const isOfTopic = (row: string): boolean => row.split(' ')[0] === topic
      const expected = outputs.filter(isOfTopic).map(normalized)
      const actual = told.filter(isOfTopic)
      assert.deepEqual(
        actual.map((row, index) => (/ @\d+$/.test(expected[index] ?? '@') ? row : row.replace(/ @\d+$/, ''))),
        expected,
        `what came of: ${given}`,
      )
    }
  }
}

async function feed(
  driver: TopologyTestDriver,
  sources: readonly SourceDefinition[],
  given: string,
): Promise<void> {
  if (given.startsWith('+')) return await driver.advanceWallClockTime(Number(given))
  const { topic, key, value, timestamp } = parsed(given)
  const source = sources.find(
    ({ topics, pattern }) =>
      topics.includes(topic) || (pattern !== undefined && wholeMatcher(pattern)(topic)),
  )
  assert.ok(source, `${topic}: the topology does not read it`)
  const input = driver.createInputTopic(topic, { key: source.key, value: source.value })
  await input.pipeInput(fromText(key), fromText(value), timestamp ?? 0)
}

/** What was written to a sink's topics, as lines. */
function taken(driver: TopologyTestDriver, sink: SinkDefinition): string[] {
  const written = new Set(driver.producedTopicNames())
  return sinkTopics(sink)
    .filter((topic) => written.has(topic))
    .flatMap((topic) => {
      const output = driver.createOutputTopic(topic, { key: sink.key, value: sink.value })
      return output
        .readRecordsToList()
        .map(({ key, value, timestamp }) => `${topic} ${shown(key)} ${shown(value)} @${timestamp}`)
    })
}

interface Row {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly timestamp: number | null
}

/** `topic key value [@timestamp]`, where key and value are JSON without spaces outside of quotes and brackets, or a word. */
function parsed(line: string): Row {
  const time = / @(\d+)$/.exec(line.trimEnd())
  const text = time === null ? line : line.slice(0, time.index)
  const parts = text.trim().match(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\S+/g) ?? []
  assert.equal(parts.length, 3, `topic, key and value are expected: ${line}`)
  return {
    topic: parts[0]!,
    key: parts[1]!,
    value: parts[2]!,
    timestamp: time === null ? null : Number(time[1]),
  }
}

function normalized(line: string): string {
  const { topic, key, value, timestamp } = parsed(line)
  const row = `${topic} ${shown(fromText(key))} ${shown(fromText(value))}`
  return timestamp === null ? row : `${row} @${timestamp}`
}

function fromText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string')
    return fromText(value) === value && /^[^\s"{[]+$/.test(value) ? value : JSON.stringify(value)
  if (value !== null && typeof value === 'object' && 'window' in value) {
    const { key, window } = value as Windowed<unknown>
    return `${shown(key)}@${window.start}-${window.end}`
  }
  return JSON.stringify(value)
}

function checkNodes(definition: TopologyDefinition, names: readonly string[]): void {
  const nodes = definition.subtopologies.flatMap((subtopology) => subtopology.nodes.map(({ name }) => name))
  for (const name of names)
    assert.ok(nodes.includes(name), `there is no node ${name}, only ${nodes.join(', ')}`)
}

function internalTopics({ subtopologies, repartitionTopics }: TopologyDefinition): string[] {
  const logged = subtopologies.flatMap(({ stores }) => stores.filter(({ logging }) => logging))
  return [
    ...repartitionTopics.map(({ name }) => name),
    ...new Set(logged.map(({ name }) => `${name}-changelog`)),
  ].sort()
}
