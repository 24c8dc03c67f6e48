import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'

import { topFigures } from '../../../src/cli/top-figures.ts'
import { metricsUrl, readScrape, scrape } from '../../../src/cli/top-scrape.ts'
import { topText } from '../../../src/cli/top-view.ts'
import { mainThreadCatalogue, streamThreadCatalogue } from '../../../src/observe/metric-catalogue.ts'

const url = new URL('http://127.0.0.1:8080/metrics')

/** Two threads, one of which restores; `factor` is how often everything was done. */
function metrics(factor: number, more = ''): string {
  return `
weir_build_info{version="0.1.0",librdkafka="2.15.1",rocksdb="9.7.4"} 1
weir_application_state{state="running"} 1
process_cpu_seconds_total ${factor * 2}
process_resident_memory_bytes ${512 * 2 ** 20}
weir_memory_budget_bytes{part="block_cache"} ${300 * 2 ** 20}
weir_memory_budget_bytes{part="write_buffer"} ${150 * 2 ** 20}
weir_memory_budget_bytes{part="heap_per_thread"} ${100 * 2 ** 20}
weir_process_records_total{thread="0"} ${factor * 1000}
weir_process_records_total{thread="1"} ${factor * 500}
weir_produce_records_total{thread="0",topic="out"} ${factor * 300}
weir_process_records_dropped_total{thread="0"} 7
weir_process_slow_records_total{thread="0"} 3
weir_process_batch_seconds_sum{thread="0"} ${factor}
weir_process_batch_seconds_count{thread="0"} ${factor * 10}
weir_consume_lag_records{thread="0",topic="in",partition="0"} 5
weir_consume_lag_records{thread="1",topic="in",partition="1"} 1234
weir_process_tasks{thread="0",state="running"} 2
weir_process_tasks{thread="1",state="running"} 1
weir_process_tasks{thread="1",state="restoring"} 1
weir_commit_seconds_bucket{thread="0",le="0.01"} ${factor * 98}
weir_commit_seconds_bucket{thread="0",le="0.1"} ${factor * 99}
weir_commit_seconds_bucket{thread="0",le="+Inf"} ${factor * 100}
weir_commit_seconds_sum{thread="0"} ${factor * 2}
weir_commit_seconds_count{thread="0"} ${factor * 100}
weir_heap_used_bytes{thread="0"} ${30 * 2 ** 20}
weir_state_cache_hits_total{thread="0"} ${factor * 90}
weir_state_cache_misses_total{thread="0"} ${factor * 10}
weir_state_cache_hits_total{thread="1"} 0
weir_state_cache_misses_total{thread="1"} 0
weir_restore_records_total{thread="1"} ${factor * 2000}
weir_restore_remaining_records{thread="1"} 10000
weir_rocksdb_write_stall_seconds_total ${factor * 0.5}
weir_rocksdb_stopped_databases{thread="0"} 1
${more}`
}

function figures(before: string, now: string, seconds: number): ReturnType<typeof topFigures> {
  return topFigures(readScrape(before, 0, url), readScrape(now, seconds * 1_000, url), url, 1_100_000)
}

const nodes = (factor: number): string => `
weir_process_node_seconds_bucket{node="map",le="0.01"} ${factor}
weir_process_node_seconds_sum{node="map"} ${factor * 0.004}
weir_process_node_seconds_count{node="map"} ${factor}
weir_process_node_seconds_bucket{node="count",le="0.1"} ${factor}
weir_process_node_seconds_sum{node="count"} ${factor * 0.05}
weir_process_node_seconds_count{node="count"} ${factor}
weir_process_node_seconds_sum{node="idle"} 9
weir_process_node_seconds_count{node="idle"} 1
weir_process_event_loop_delay_seconds_bucket{thread="0",le="0.02"} ${factor}
weir_process_event_loop_delay_seconds_sum{thread="0"} ${factor * 0.01}
weir_process_event_loop_delay_seconds_count{thread="0"} ${factor}`

describe('the figures of weir top', () => {
  test('rates are of the time between two looks, ratios and durations of what happened in it', () => {
    const now = figures(metrics(1), metrics(3), 4)
    assert.equal(now.state, 'running')
    assert.equal(now.cpuCores, 1)
    assert.equal(now.recordsPerSecond, 750)
    assert.equal(now.producedPerSecond, 150)
    assert.equal(now.memoryBudgetBytes, 500 * 2 ** 20)
    assert.deepEqual([now.droppedRecords, now.slowRecords, now.deadLetters], [7, 3, null])
    assert.equal(now.lagRecords, 1239)
    assert.deepEqual(now.largestLag, { topic: 'in', partition: '1', records: 1234 })
    assert.deepEqual(now.tasks, { running: 3, restoring: 1, waiting: 0 })
    assert.deepEqual(now.commits, { perSecond: 50, meanSeconds: 0.02, p99Seconds: 0.1 })
    assert.equal(now.cache.hitRatio, 0.9)
    assert.deepEqual(now.restore, { remainingRecords: 10_000, recordsPerSecond: 1_000, remainingSeconds: 10 })
    assert.equal(now.rocksDb.stalledSeconds, 0.25)
    assert.deepEqual(
      now.threads.map(({ thread, recordsPerSecond, busy, commits, cacheHitRatio }) => [
        thread,
        recordsPerSecond,
        busy,
        commits?.perSecond ?? null,
        cacheHitRatio,
      ]),
      [
        ['0', 500, 0.5, 50, 0.9],
        ['1', 250, null, null, null],
      ],
    )
    assert.equal(now.nodes, null)
  })

  test('nodes come slowest first, those that had nothing to do not at all', () => {
    const now = figures(metrics(1, nodes(1)), metrics(2, nodes(2)), 1)
    assert.deepEqual(
      now.nodes!.map(({ node, p99Seconds }) => [node, p99Seconds]),
      [
        ['count', 0.1],
        ['map', 0.01],
      ],
    )
    assert.deepEqual(
      now.threads.map(({ loopDelaySeconds }) => loopDelaySeconds),
      [0.02, null],
    )
  })

  test('a worker that was started anew has counted from zero', () => {
    assert.equal(figures(metrics(3), metrics(1), 1).recordsPerSecond, 1_500)
  })

  test('nothing is taken for zero that is not said', () => {
    const empty = figures('', '', 1)
    assert.deepEqual(
      [empty.state, empty.recordsPerSecond, empty.lagRecords, empty.commits, empty.threads],
      [null, null, null, null, []],
    )
    assert.match(topText(empty), /: starting$/m)
  })

  test('are read from metrics that there are', () => {
    const source = readFileSync(new URL('../../../src/cli/top-figures.ts', import.meta.url), 'utf8')
    const known = new Set<string>(Object.keys({ ...streamThreadCatalogue, ...mainThreadCatalogue }))
    const names = [...source.matchAll(/weir_[a-z_]+/g)].map(([name]) => name.replace(/_sum$/, ''))
    assert.ok(names.length > 20)
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    )
  })
})

describe('the view of weir top', () => {
  test('fits 80 columns, and says - for what is not known', () => {
    const view = topText(figures(metrics(1, nodes(1)), metrics(1000, nodes(1000)), 1))
    for (const line of view.split('\n')) assert.ok(line.length < 80, line)
    assert.match(view, /^Weir at 127\.0\.0\.1:8080: running$/m)
    assert.match(view, /^ {2}lag {6}1,239 records, most in in 1: 1,234$/m)
    assert.match(view, /^ {2}tasks {4}3 running, 1 restoring$/m)
    assert.match(view, /7 dropped, - dead letters, 3 slow since the start$/m)
    assert.match(view, /^slowest nodes +mean +99 %$/m)
    assert.match(view, /^count +50 ms +100 ms$/m)
    assert.match(topText(figures(metrics(1), metrics(2), 1)), /^slowest nodes: -$/m)
  })

  test('has no escape sequences', () => {
    assert.ok(!topText(figures(metrics(1), metrics(2), 1)).includes('\u001b'))
  })
})

describe('where weir top looks', () => {
  const cases: readonly (readonly [
    given: string | null,
    environment: Record<string, string>,
    url: string,
  ])[] = [
    [null, {}, 'http://127.0.0.1:8080/metrics'],
    [null, { WEIR_HTTP_PORT: '9090', WEIR_HTTP_HOST: '0.0.0.0' }, 'http://127.0.0.1:9090/metrics'],
    [null, { WEIR_HTTP_HOST: 'box' }, 'http://box:8080/metrics'],
    ['weir-0.weir:8080', { WEIR_HTTP_PORT: '1' }, 'http://weir-0.weir:8080/metrics'],
    ['https://box/weir/metrics', {}, 'https://box/weir/metrics'],
  ]
  for (const [given, environment, expected] of cases)
    test(expected, () => assert.equal(metricsUrl(given, environment).href, expected))

  test('not at what is no address', () => {
    assert.throws(() => metricsUrl('http://', {}), { code: 'config-invalid' })
    assert.throws(() => metricsUrl(null, { WEIR_HTTP_PORT: '-1' }), { code: 'config-invalid' })
  })

  test('nobody, somebody else and an error are no worker', async () => {
    const answers = ['up 1\n', '<html>']
    const server: Server = createServer((_, response) => {
      const answer = answers.shift()
      response
        .writeHead(answer === undefined ? 503 : 200, { connection: 'close' })
        .end(answer ?? 'no thread answers')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const address = new URL(`http://127.0.0.1:${port}/metrics`)
    const { signal } = new AbortController()
    const fails = (message: RegExp): Promise<void> =>
      assert.rejects(scrape(address, signal), { code: 'worker-unreachable', message })
    await fails(/its metrics are somebody else's$/)
    await fails(/not a sample of Prometheus' text: <html>$/)
    await fails(/503 Service Unavailable: no thread answers$/)
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
    await fails(/no worker answers at .*ECONNREFUSED/)
  })
})
