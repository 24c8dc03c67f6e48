import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { topologies } from './described-topologies.ts'

const fixtures = new URL('fixtures/', import.meta.url)

describe("describe says what Kafka Streams' Topology.describe says", () => {
  test('there is a fixture for each topology', () => {
    const names = Object.keys(topologies).map((name) => `${name}.txt`)
    assert.deepEqual(readdirSync(fixtures).sort(), names.sort())
  })

  for (const [name, make] of Object.entries(topologies)) {
    test(name, () => {
      assert.equal(make().describe(), readFileSync(new URL(`${name}.txt`, fixtures), 'utf8'))
    })
  }
})
