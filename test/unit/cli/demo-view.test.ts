import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { Latencies } from '../../../src/cli/demo-latency.ts'
import { type DemoSnapshot, renderProgress, renderSummary, renderView } from '../../../src/cli/demo-view.ts'

const snapshot: DemoSnapshot = {
  elapsedMs: 3_200,
  processed: 312_000,
  target: 1_000_000,
  recordsPerSecond: 104_321.7,
  latency: { count: 10, p50Ms: 120, p99Ms: 410, maxMs: 500 },
  threads: [
    { index: 0, recordsPerSecond: 60_000, tasks: ['0_0', '0_1'] },
    { index: 1, recordsPerSecond: 44_321, tasks: [] },
  ],
  stateBytes: 12 * 2 ** 20,
  changes: 1_234,
  latestChanges: ['user 17 entered frequent-buyers', 'user 3 left night-owls'],
  metricsUrl: 'http://127.0.0.1:4711/metrics',
  consoleUrl: 'http://127.0.0.1:4711/console/',
}

describe('the live view', () => {
  test('shows rate, latency, tasks per thread, state and the latest changes', () => {
    const view = renderView(snapshot, 200)
    assert.match(view, /at-least-once, started empty/)
    assert.match(view, /104,322 events\/s/)
    assert.match(view, /312,000 of 1,000,000 events in 3\.2 s/)
    assert.match(view, /median 120 ms, 99 % within 410 ms/)
    assert.match(view, /12 MiB/)
    assert.match(view, /console {4}http:\/\/127\.0\.0\.1:4711\/console\/\n/)
    assert.doesNotMatch(renderView({ ...snapshot, consoleUrl: null }, 200), /console/)
    assert.match(view, /thread 0 {3}60,000 records\/s, tasks 0_0 0_1\n/)
    assert.match(view, /thread 1 .*no tasks yet\n/)
    assert.match(view, /1,234 segment changes.*\n {4}user 17 entered frequent-buyers\n {4}user 3 left/)
  })

  test('fits the terminal', () => {
    for (const line of renderView(snapshot, 40).split('\n')) assert.ok(line.length < 40, line)
  })
})

test('plain progress is one line', () => {
  const line = renderProgress(snapshot)
  assert.doesNotMatch(line, /\n/)
  assert.match(line, /312,000\/1,000,000 events {2}104,322 events\/s .* tasks 2\+0 /)
})

test('the summary computes its rate', () => {
  const summary = renderSummary({
    processed: 200_000,
    processingMs: 1_600,
    firstRecordMs: 2_345,
    changes: 12,
    latency: null,
    stateBytes: 1024,
    threads: 1,
  })
  assert.match(summary, /^Processed 200,000 events in 1\.6 s \(125,000 events\/s\) on 1 stream thread\.$/m)
  assert.match(summary, /2\.3 s after the start/)
})

test('latencies: recent ones are forgotten when read, the total is not', () => {
  const latencies = new Latencies()
  assert.equal(latencies.takeRecent(), null)
  for (let ms = 1; ms <= 100; ms++) latencies.add(ms)
  latencies.add(-5)
  assert.equal(latencies.takeRecent()?.count, 101)
  assert.equal(latencies.takeRecent(), null)
  const { p50Ms = 0, p99Ms = 0, maxMs } = latencies.total ?? {}
  assert.ok(Math.abs(p50Ms - 50) <= 1 && Math.abs(p99Ms - 99) <= 1, `${p50Ms} ${p99Ms}`)
  assert.equal(maxMs, 100)
})
