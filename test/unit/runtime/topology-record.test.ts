import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { defineTopology, serdes } from '../../../src/index.ts'
import { TopologyRecord } from '../../../src/runtime/topology-record.ts'
import type { TopologyDefinition } from '../../../src/topology/definition.ts'

const strings = { key: serdes.string, value: serdes.string }

describe('TopologyRecord', () => {
  let folder = ''
  const warnings: unknown[] = []
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) }
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weir-topology-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const build = (define: (builder: StreamsBuilder) => void): TopologyDefinition =>
    defineTopology((builder) => define(builder)).build()

  const check = (topology: TopologyDefinition, topologyChanges: 'refuse' | 'accept' = 'refuse') =>
    TopologyRecord.check(folder, topology, { applicationId: 'app', topologyChanges }, logger)

  const counted = build((builder) => {
    builder
      .stream('in', strings)
      .groupBy((record) => record.value, { ...strings, name: 'by-value' })
      .count({ store: 'counts' })
  })

  test('the first topology is written down, and is the same the next time', async () => {
    await (await check(counted)).write()
    const text = await readFile(path.join(folder, 'topology.json'), 'utf8')
    assert.deepEqual(JSON.parse(text), {
      format: 1,
      parts: { 'repartition topic app-by-value-repartition': 1, 'changelog app-counts-changelog': 1 },
    })
    await check(counted)
    assert.deepEqual(warnings, [])
  })

  test('every difference is told, and nothing is written', async () => {
    const other = build((builder) => {
      builder.stream('in', strings).groupByKey().count({ store: 'counts' })
      builder.stream('more', strings).groupByKey().count({ store: 'local', logging: false })
    })
    await assert.rejects(check(other), {
      code: 'topology-changed',
      message:
        /: changelog app-counts-changelog has moved from sub-topology 1 to 0; repartition topic app-by-value-repartition is gone; store local is new; /,
    })
    await check(counted)
    await check(other, 'accept')
    assert.equal(warnings.length, 1)
    await check(counted)
  })

  test("processors and topics that are not the application's own are no differences", async () => {
    await check(
      build((builder) => {
        builder
          .stream('in', strings)
          .filter((record) => record.value !== '')
          .groupBy((record) => record.value, { ...strings, name: 'by-value' })
          .count({ store: 'counts' })
          .toStream()
          .to('out')
      }),
    )
  })

  test('a record that is cut, of a later format or of another shape is none', async () => {
    for (const text of ['{"format": 1, "par', '{"format":2,"parts":{"x":1}}', '{"format":1}', '[]', 'null']) {
      await writeFile(path.join(folder, 'topology.json'), text)
      await check(counted)
    }
  })
})
