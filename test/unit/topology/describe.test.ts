import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { topologyGraph } from '../../../src/topology/topology-graph.ts'
import { topologies } from './described-topologies.ts'

const fixtures = new URL('fixtures/', import.meta.url)

describe("describe says what Kafka Streams' Topology.describe says", () => {
  test('there is a fixture for each topology', () => {
    const names = Object.keys(topologies).map((name) => `${name}.txt`)
    assert.deepEqual(readdirSync(fixtures).sort(), [...names, 'internal-topics.txt'].sort())

    test('the internal topics are the same', () => {
      const described = Object.entries(topologies).filter(([name]) => !name.startsWith('random-'))
      const lines = described.map(([name, make]) => {
        const topics = topologyGraph(make().build()).topics.filter(({ kind }) => kind !== 'external')
        return `${name}[${topics
          .map((topic) => `app-${topic.name}`)
          .sort()
          .join(', ')}]`
      })
      const expected = readFileSync(new URL('internal-topics.txt', fixtures), 'utf8').split('\n')
      assert.deepEqual(lines.sort(), expected.filter((line) => line !== '').sort())
    })
  })

  for (const [name, make] of Object.entries(topologies)) {
    test(name, () => {
      assert.equal(make().describe(), readFileSync(new URL(`${name}.txt`, fixtures), 'utf8'))
    })
  }
})
