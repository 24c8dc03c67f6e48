import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Samples } from '../../../src/console/samples.ts'
import { MetricSet } from '../../../src/observe/metric-set.ts'
import { threadMetricCatalogue } from '../../../src/observe/thread-metric-catalogue.ts'

test('the series of several threads are added up by a label', async () => {
  const sets = [0, 1].map(() => new MetricSet(threadMetricCatalogue))
  for (const [index, set] of sets.entries()) {
    const thread = String(index)
    set.total('weir_consume_records_total', { thread, topic: 'a' }, 10 * (index + 1))
    set.total('weir_consume_records_total', { thread, topic: 'b' }, 1)
    set.set('weir_heap_used_bytes', { thread }, 100 + index)
    const batch = set.histogram('weir_process_batch_seconds', { thread })
    for (const seconds of [0.0002, 0.002, 0.002, 60]) batch.observe(seconds + index)
  }
  const samples = new Samples(await Promise.all(sets.map((set) => set.snapshot())))
  assert.deepEqual(
    [...samples.by('weir_consume_records_total', 'topic')],
    [
      ['a', 30],
      ['b', 2],
    ],
  )
  assert.equal(samples.sum('weir_consume_records_total'), 32)
  assert.deepEqual(
    [...samples.by('weir_heap_used_bytes', 'thread')],
    [
      ['0', 100],
      ['1', 101],
    ],
  )
  const first = samples.histograms('weir_process_batch_seconds', 'thread').get('0')!
  assert.equal(first.count, 4)
  assert.equal(Math.round(first.sum * 1e6), 60_004_200)
  const byBound = new Map(first.bounds.map((bound, index) => [bound, first.counts[index]]))
  assert.deepEqual(
    [0.0001, 0.00025, 0.001, 0.0025, 30, null].map((bound) => byBound.get(bound)),
    [0, 1, 1, 3, 3, 4],
  )
  assert.equal(first.bounds.at(-1), null)
})

test('what no thread has is nothing', () => {
  const samples = new Samples([])
  assert.equal(samples.sum('weir_process_node_records_total'), 0)
  assert.equal(samples.by('weir_process_node_records_total', 'node').size, 0)
  assert.equal(samples.histograms('weir_process_node_seconds', 'node').size, 0)
})
