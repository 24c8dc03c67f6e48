import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology, type StreamsBuilder, serdes, TopologyError } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { OPTIMIZATION_RULES, parseOptimization } from '../../../src/topology/optimization.ts'
import type { TopologyModule } from '../../../src/topology/topology-module.ts'

const text = { key: serdes.string, value: serdes.string }

/** Two aggregates below one filter below a change of keys: Kafka Streams cannot merge their topics. */
function twoBelowOneFilter(builder: StreamsBuilder): void {
  const filtered = builder
    .stream('in', text)
    .selectKey(({ value }) => value.slice(0, 1))
    .filter(({ value }) => value !== 'b3')
  filtered.groupByKey(text).count().toStream().to('counts')
  filtered
    .groupByKey(text)
    .reduce((one, two) => one + two)
    .toStream()
    .to('joined')
}

async function outputs(topology: TopologyModule): Promise<unknown[]> {
  await using driver = await TopologyTestDriver.open(topology)
  const input = driver.createInputTopic('in', text)
  for (const value of ['a1', 'b1', 'a2', 'b3', 'b2']) await input.pipeInput('key', value)
  return [
    driver.createOutputTopic('counts', { key: serdes.string, value: serdes.int64 }).readKeyValuesToList(),
    driver.createOutputTopic('joined', text).readKeyValuesToList(),
  ]
}

describe('topology.optimization', () => {
  test('two topics below one step become one, and give what they gave', async () => {
    const plain = defineTopology(twoBelowOneFilter)
    const optimized = defineTopology(twoBelowOneFilter, { optimization: 'merge.repartition.topics' })
    const topics = (topology: TopologyModule): string[] =>
      topology.build().repartitionTopics.map(({ name }) => name)
    assert.equal(topics(plain).length, 2)
    assert.deepEqual(topics(optimized), topics(plain).slice(0, 1))
    // The filter stands below the topic now.
    assert.match(
      optimized.describe(),
      /Source: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-source .*\n +--> KSTREAM-FILTER-0000000002\n/,
    )
    const expected = await outputs(plain)
    assert.deepEqual(expected[0], [
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
      { key: 'a', value: 2 },
      { key: 'b', value: 2 },
    ])
    assert.deepEqual(await outputs(optimized), expected)
  })

  test("the topology's own option counts for more than what is asked of it", () => {
    const own = defineTopology(twoBelowOneFilter, { optimization: [] })
    const open = defineTopology(twoBelowOneFilter)
    assert.equal(own.build('all').repartitionTopics.length, 2)
    assert.equal(open.build('all').repartitionTopics.length, 1)
    assert.equal(open.build().repartitionTopics.length, 2)
    assert.equal(open.build('all'), open.build('all'))
  })

  test('values are those of Kafka Streams', () => {
    assert.deepEqual(parseOptimization('none'), [])
    assert.deepEqual(parseOptimization('all'), OPTIMIZATION_RULES)
    assert.deepEqual(parseOptimization(' single.store.self.join ,reuse.ktable.source.topics'), [
      'reuse.ktable.source.topics',
      'single.store.self.join',
    ])
    for (const wrong of ['', 'all,none', 'none,merge.repartition.topics', 'merge', 'ALL'])
      assert.equal(parseOptimization(wrong), null, wrong)
  })

  test('another value is refused with one line', () => {
    const allowed =
      'allowed: none, all, or a list of reuse.ktable.source.topics, merge.repartition.topics, single.store.self.join'
    const define = (optimization: unknown) => () =>
      defineTopology(twoBelowOneFilter, { optimization: optimization as string })
    const refused: readonly (readonly [() => unknown, string])[] = [
      [define('some'), `defineTopology: optimization is "some"; ${allowed}`],
      [define(['merge']), `defineTopology: optimization is a list; ${allowed}`],
      [define(true), `defineTopology: optimization is a boolean; ${allowed}`],
      [
        () => defineTopology(twoBelowOneFilter, { optimisation: 'all' } as never),
        'defineTopology: unknown option optimisation; allowed: optimization, deserializationExceptionHandler, processingExceptionHandler, productionExceptionHandler, deadLetterTopics',
      ],
    ]
    for (const [attempt, message] of refused)
      assert.throws(attempt, (error) => error instanceof TopologyError && error.message === message)
  })
})
