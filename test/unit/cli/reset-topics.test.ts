import assert from 'node:assert/strict'
import test from 'node:test'

import { resetTopics } from '../../../src/cli/reset-topics.ts'
import { defineTopology, serdes } from '../../../src/index.ts'

const strings = { key: serdes.string, value: serdes.string }
/** Of application `app`: app-by-value-repartition and app-counts-changelog. */
const counting = defineTopology((builder) => {
  builder
    .stream('events', strings)
    .groupBy((record) => record.value, { ...strings, name: 'by-value' })
    .count({ store: 'counts' })
    .toStream()
    .to('counted')
}).build('none')
const own = ['app-by-value-repartition', 'app-counts-changelog']
const others = [
  'app-2-by-value-repartition',
  'app-2-counts-changelog',
  'app-old-changelog',
  'app-x-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic',
]
const cluster = new Set([...own, ...others, 'events', 'counted', 'app-events', 'apple-counts-changelog'])
const nothing = { inputTopics: null, internalTopics: [] }

test("with a topology: its own topics, by their names, and nobody else's with the same prefix", () => {
  assert.deepEqual(resetTopics('app', counting, nothing, cluster, ['events', 'old-events', own[0]!]), {
    inputs: ['events'],
    missing: [],
    deleted: own,
    leftAlone: others,
  })
  assert.deepEqual(resetTopics('app-2', counting, nothing, cluster, []).deleted, [
    'app-2-by-value-repartition',
    'app-2-counts-changelog',
  ])
})

test('without one: what the group has offsets of, and nothing is deleted that is not named', () => {
  const found = resetTopics('app', null, nothing, cluster, ['events', 'gone', own[0]!])
  assert.deepEqual(found, {
    inputs: ['events'],
    missing: ['gone'],
    deleted: [],
    leftAlone: [...own, ...others].sort(),
  })
  const named = { inputTopics: ['counted'], internalTopics: ['app-old-changelog'] }
  assert.deepEqual(resetTopics('app', null, named, cluster, ['events']), {
    inputs: ['counted'],
    missing: [],
    deleted: ['app-old-changelog'],
    leftAlone: [...own, ...others].filter((name) => name !== 'app-old-changelog').sort(),
  })
})

test("an older topology's topics can be named beside the topology's own", () => {
  const named = { inputTopics: null, internalTopics: ['app-old-changelog'] }
  assert.deepEqual(resetTopics('app', counting, named, cluster, []).deleted, [...own, 'app-old-changelog'])
})

test('topics that a pattern matches are source topics; missing ones are told', () => {
  const matching = defineTopology((builder) => {
    builder
      .stream(/app.*|counted/, strings)
      .groupByKey()
      .count({ store: 'counts' })
    builder.stream('missing', strings).to('counted')
  }).build('none')
  const found = resetTopics(
    'app',
    matching,
    nothing,
    new Set(['counted', 'app-counts-changelog', 'app-events']),
    [],
  )
  assert.deepEqual(found, {
    inputs: ['app-events', 'counted'],
    missing: ['missing'],
    deleted: ['app-counts-changelog'],
    leftAlone: [],
  })
})

for (const [named, code, message] of [
  [
    { inputTopics: ['counted'] },
    'config-invalid',
    /^--input-topics counted: the topology does not read it; it reads events$/,
  ],
  [{ internalTopics: ['events'] }, 'config-invalid', /^--internal-topics events: no internal topic of app: /],
  [{ internalTopics: ['app-events'] }, 'config-invalid', /^--internal-topics app-events: no internal topic/],
  [
    { internalTopics: ['apple-counts-changelog'] },
    'config-invalid',
    /^--internal-topics apple-counts-changelog: no/,
  ],
  [
    { internalTopics: ['app-new-changelog'] },
    'topic-missing',
    /^--internal-topics app-new-changelog: there is no such topic$/,
  ],
] as const) {
  test(`${JSON.stringify(named)} is refused`, () => {
    assert.throws(() => resetTopics('app', counting, { ...nothing, ...named }, cluster, []), {
      code,
      message,
    })
  })
}

test('a source topic that is named and missing is refused', () => {
  const named = { inputTopics: ['gone'], internalTopics: [] }
  assert.throws(() => resetTopics('app', null, named, cluster, []), { code: 'source-topic-missing' })
})
