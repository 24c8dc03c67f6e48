import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import type { TestOutputTopic } from '../../../src/testing/test-output-topic.ts'
import type { OperatorTopology } from '../process/operators/operator-topology.ts'
import { foreignKeyTopologies } from './foreign-key-topologies.ts'
import { globalTopologies } from './global-topologies.ts'
import { patternTopologies } from './pattern-topologies.ts'

/** The topologies of test/oracle/topics/RunTopics.java, on the same records: every topic must have the same records, byte by byte. */

type Text = string | null

const nullable = serdes.string as Serde<Text>
const text = { key: nullable, value: nullable }
const bytes = { key: serdes.bytes, value: serdes.bytes }
const RECORDS = 200

const topologies: Record<string, OperatorTopology> = {
  'grace-join': (builder, out) => {
    const table = builder.table('b', { ...text, store: 'rows', historyRetentionMs: 100 })
    out(builder.stream('a', text).join(table, (l, r) => `${l}+${r}`, { name: 'named', graceMs: 10 }))
  },
  ...foreignKeyTopologies,
  ...globalTopologies,
  ...patternTopologies,
}

/** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
function generator(): (bound: number) => number {
  let state = 42n
  return (bound) => {
    state = (state * 1103515245n + 12345n) & 0x7fffffffn
    return Number((state >> 8n) % BigInt(bound))
  }
}

/** Letters, digits and some signs as they are, other bytes as hexadecimal numbers. */
function shown(part: Buffer | null): string {
  if (part === null) return 'null'
  const signs = [...part].map((byte) =>
    byte > 32 && byte < 127 && byte !== 92
      ? String.fromCharCode(byte)
      : `\\${byte.toString(16).padStart(2, '0')}`,
  )
  return `'${signs.join('')}'`
}

async function run(define: OperatorTopology, caching = false): Promise<string> {
  const topology = defineTopology((builder) =>
    define(builder, (stream) => stream.to('out', { key: nullable, value: nullable } as never), { caching }),
  )
  await using driver = await TopologyTestDriver.open(topology, { applicationId: 'topics' })
  const hasB = topology.describe().includes('[b]')
  const topics = new Map<string, TestOutputTopic<Buffer, Buffer>>()
  const next = generator()
  let output = ''
  for (let index = 0; index < RECORDS; index++) {
    const topic = next(3) === 0 ? 'b' : 'a'
    const key = next(10) === 0 ? null : `k${next(4)}`
    const value = next(8) === 0 ? null : `v${next(10)}`
    const timestamp = 1000 + index + next(40)
    if (topic === 'b' && !hasB) continue
    await driver.createInputTopic(topic, text).pipeInput(key, value, timestamp)
    // Where there is a cache, deletions of what was never there are logged here alone.
    for (const name of driver.producedTopicNames())
      if (!topics.has(name) && !(caching && name.endsWith('-changelog')))
        topics.set(name, driver.createOutputTopic(name, bytes))
    for (const name of [...topics.keys()].sort()) {
      const isTimed = !name.endsWith('-Buffer-changelog')
      for (const record of topics.get(name)!.readRecordsToList())
        output += `${index} ${name} ${shown(record.key)} ${shown(record.value)} ${isTimed ? record.timestamp : '-'}\n`
    }
  }
  return output
}

/** A commit, which is after each record here, writes of each key the last change: Kafka Streams writes every one, at once. */
function compacted(output: string): string {
  const lines: string[] = []
  let changes = new Map<string, string>()
  let store = ''
  const flush = (): void => {
    for (const key of [...changes.keys()].sort()) lines.push(changes.get(key)!)
    changes = new Map()
  }
  for (const line of output.split('\n')) {
    const [index, topic = '', key = ''] = line.split(' ')
    if (`${index} ${topic}` !== store) flush()
    store = `${index} ${topic}`
    if (topic.endsWith('-changelog')) changes.set(key, line)
    else lines.push(line)
  }
  flush()
  return lines.join('\n')
}

describe("topics have the records that Kafka Streams' TopologyTestDriver gave them", () => {
  const fixtures = new URL('fixtures/', import.meta.url)

  test('there is a fixture for each topology', () => {
    const names = Object.keys(topologies).map((name) => `${name}.txt`)
    assert.deepEqual(readdirSync(fixtures).sort(), [...names, 'caching', 'errors'].sort())
  })

  for (const [name, define] of Object.entries(topologies)) {
    test(name, async () => {
      const expected = readFileSync(new URL(`${name}.txt`, fixtures), 'utf8')
      assert.equal(compacted(await run(define)), compacted(expected))
    })
  }

  for (const file of readdirSync(new URL('caching/', fixtures))) {
    test(`${file} with caching`, async () => {
      const expected = readFileSync(new URL(`caching/${file}`, fixtures), 'utf8')
      assert.equal(await run(topologies[file.replace('.txt', '')]!, true), expected)
    })
  }
})
