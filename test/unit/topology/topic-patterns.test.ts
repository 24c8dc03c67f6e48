import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import { patternMatcher, wholeMatcher, withMatchedTopics } from '../../../src/topology/topic-patterns.ts'
import { Topology } from '../../../src/topology/topology.ts'

const text = { key: serdes.string, value: serdes.string }

function matched(topology: Topology, topics: readonly string[]) {
  const { subtopologies } = withMatchedTopics(topology.build(), 'app', topics)
  return subtopologies.map(({ sourceTopics, copartitionGroups }) => ({ sourceTopics, copartitionGroups }))
}

describe('sources with patterns', () => {
  test('a name is matched as a whole, time and again', () => {
    const matches = wholeMatcher(/a|topic-\d/gy)
    for (const _ of [1, 2]) {
      assert.deepEqual(['a', 'ab', 'topic-1', 'topic-12', 'my-topic-1', 'TOPIC-1'].filter(matches), [
        'a',
        'topic-1',
      ])
    }
    assert.ok(wholeMatcher(/topic-\d/i)('TOPIC-1'))
  })

  test('read the topics that match, in order of name, beside those that are named', () => {
    const topology = new Topology()
      .addSource('matching', { topics: /t-.*/, ...text })
      .addSource('named', { topics: ['z', 'b'], ...text })
      .addSource('apart', { topics: /u.*/, ...text })
      .addProcessor('both', () => ({ process() {} }), { parents: ['matching', 'named'] })
    assert.deepEqual(matched(topology, ['z', 'b', 't-2', 'other', 'u', 't-1']), [
      { sourceTopics: ['t-1', 't-2', 'z', 'b'], copartitionGroups: [] },
      { sourceTopics: ['u'], copartitionGroups: [] },
    ])
    assert.deepEqual(matched(topology, ['z', 'b'])[1], { sourceTopics: [], copartitionGroups: [] })
  })

  test('their topics are partitioned alike where they are joined', () => {
    const topology = new Topology()
      .addSource('matching', { topics: /t-.*/, ...text })
      .addSource('named', { topics: 'z', ...text })
      .addProcessor('both', () => ({ process() {} }), { parents: ['matching', 'named'] })
      .copartitionSources(['matching', 'named'])
    const [only] = matched(topology, ['t-2', 'z', 't-1'])
    assert.deepEqual(
      only!.copartitionGroups.map((group) => [...group].sort()),
      [['t-1', 't-2', 'z']],
    )
  })

  test("do not read the brokers' topics, nor the application's own", () => {
    const topology = new Topology()
      .addSource('all', { topics: /.*/, ...text })
      .addSink('there', { parents: 'all', topic: 'x-repartition', ...text })
      .addRepartitionTopic('x-repartition', null)
    const names = [
      '__consumer_offsets',
      '__transaction_state',
      'app-x-repartition',
      'x-repartition',
      '__mine',
    ]
    assert.deepEqual(matched(topology, names)[0]!.sourceTopics, ['__mine', 'x-repartition'])
    assert.deepEqual(names.filter(patternMatcher(topology.build(), 'app')), ['x-repartition', '__mine'])
  })

  test('a topic that two patterns match is refused', () => {
    const topology = new Topology()
      .addSource('one', { topics: /a.*/, ...text })
      .addSource('two', { topics: /.*b/, ...text })
    assert.deepEqual(
      matched(topology, ['a', 'b']).map(({ sourceTopics }) => sourceTopics),
      [['a'], ['b']],
    )
    assert.throws(() => matched(topology, ['a', 'ab']), {
      code: 'topology-invalid',
      message:
        'topic ab matches the patterns of two sources: a.* of one and .*b of two; a topic is read by one',
    })
  })
})
