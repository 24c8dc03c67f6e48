import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { startKafka } from '../../test/services/kafka.ts'
import { createTopic } from '../../test/services/kafka-client.ts'
import { freePorts } from '../../test/services/ports.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { addOutputOption, positiveInteger, resultsFile, write } from './command.ts'
import { compilePeers, peerClassPath, toArguments } from './java.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { repoDir } from './paths.ts'
import { sumOf } from './prometheus.ts'
import { SystemProcess } from './system.ts'
import { type Trend, trendOf } from './trend.ts'
import { weir } from './weir.ts'

const MiB = 2 ** 20

interface SoakOptions {
  minutes: number
  keys: number
  valueBytes: number
  backlog: number
  partitions: number
  threads: number
  memoryBytes: number
  seed: number
}

/** One look at the process. */
export interface Sample {
  minute: number
  records: number
  rssBytes: number
  heapBytes: number
  openScans: number
  nativeObjects: number
  memtableBytes: number
  blockCacheBytes: number
  scanSeeks: number
  scanSkippedKeys: number
  flushes: number
  compactions: number
  compactionWrittenBytes: number
}

const watched = ['rssBytes', 'heapBytes', 'openScans', 'nativeObjects'] as const
/** The part of the time in which caches and heaps still fill. */
const warmUpShare = 1 / 3
/** Samples taken, evenly; but no more than one a second. */
const samplesMax = 360
const readyTimeoutMs = 60_000

/** Adds `bench soak`: Weir alone under full load for a long time, and whether anything grows. */
export function addSoak(program: Command): void {
  const command = program
    .command('soak')
    .description(
      'Weir at full load with joins, scans, expiry and evictions: does memory, or any count, grow?',
    )
    .option('--minutes <n>', 'how long', positiveInteger, 30)
    .option('--keys <n>', 'users', positiveInteger, 10_000)
    .option('--value-bytes <n>', 'bytes of a value', positiveInteger, 100)
    .option('--backlog <n>', 'records kept waiting', positiveInteger, 200_000)
    .option('--partitions <n>', 'of the input topic', positiveInteger, 8)
    .option('--threads <n>', 'stream threads', positiveInteger, 1)
    .option('--memory-bytes <n>', 'WEIR_MEMORY_BYTES', positiveInteger, 1024 * MiB)
    .option('--seed <n>', 'of keys and values', positiveInteger, 1)
  addOutputOption(command, 'bench/results/soak.json when it took 30 minutes, else build/bench/soak.json')
  command.action(async ({ output, ...options }) => {
    const samples = await soak(options, (line) => console.log(line))
    const afterWarmUp = samples.slice(Math.floor(samples.length * warmUpShare))
    const trends = Object.fromEntries(
      watched.map((figure) => [
        figure,
        trendOf(afterWarmUp.map((sample) => ({ minute: sample.minute, value: sample[figure] }))),
      ]),
    )
    for (const [figure, trend] of Object.entries(trends)) console.log(lineOf(figure, trend))
    const peakRssBytes = Math.max(...samples.map(({ rssBytes }) => rssBytes))
    write(output ?? resultsFile('soak', options.minutes >= 30), {
      workload: 'soak',
      machine: describeMachine(),
      versions: describeVersions(),
      settings: { ...options, warmUpShare, method: 'bench/README.md' },
      records: samples.at(-1)!.records,
      peakRssBytes,
      isWithinMemory: peakRssBytes <= options.memoryBytes,
      isFlat: Object.values(trends).every(({ isFlat }) => isFlat),
      trends,
      samples,
    })
  })
}

/** Runs Weir and a feeder on a broker of their own. @throws Error when either ends, or nothing is processed any more */
async function soak(options: SoakOptions, log: (line: string) => void): Promise<Sample[]> {
  await compilePeers()
  const logDir = join(repoDir, 'build/bench/logs')
  rmSync(logDir, { recursive: true, force: true })
  mkdirSync(logDir, { recursive: true })
  // What has been read goes soon, so that the disk does not fill.
  await using kafka = await startKafka({
    measured: true,
    properties: { 'log.retention.check.interval.ms': 5_000 },
  })
  const { bootstrapServers } = kafka
  const retention = { 'retention.bytes': 64 * MiB, 'segment.bytes': 16 * MiB }
  const topics = { input: 'soak-input', output: 'soak-output' }
  for (const topic of Object.values(topics))
    await createTopic(bootstrapServers, topic, options.partitions, retention)

  const { minutes: _, threads, partitions: __, memoryBytes, ...feed } = options
  await using feeder = new SystemProcess({
    name: 'feeder',
    command: 'java',
    args: [
      '-Xmx512m',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      peerClassPath(),
      'weir.bench.FeedTopic',
      ...toArguments({ bootstrap: bootstrapServers, ...topics, ...feed }),
    ],
    logFile: join(logDir, 'feeder.log'),
  })
  const [httpPort = 0] = await freePorts(1)
  const system = weir(
    'bench/pipeline/soak.ts',
    { WEIR_MEMORY_BYTES: String(memoryBytes) },
    { port: httpPort },
  )
  await using process = await system.start({
    bootstrapServers,
    applicationId: 'bench-soak',
    topics,
    records: 0,
    threads,
    commitIntervalMs: 5_000,
    processingGuarantee: 'at_least_once',
    stateCacheBytes: Math.floor(memoryBytes / 16),
    stateDir: join(makeScratchDir('bench'), 'soak'),
    logFile: join(logDir, 'soak.log'),
  })
  const failure = Promise.race([process.failure(), feeder.failure()])
  failure.catch(() => {})
  const timeout = sleep(readyTimeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`weir was not ready within ${readyTimeoutMs} ms`)
  })
  timeout.catch(() => {})
  await Promise.race([process.ready(), failure, timeout])

  const samples: Sample[] = []
  const startMs = Date.now()
  const sampleIntervalMs = Math.max(1_000, (options.minutes * 60_000) / samplesMax)
  let loggedMinute = 0
  while (Date.now() - startMs < options.minutes * 60_000) {
    await Promise.race([sleep(sampleIntervalMs), failure])
    const sample = await look(process.pid, `http://127.0.0.1:${httpPort}/metrics`, startMs)
    if (sample === null) continue
    samples.push(sample)
    if (sample.minute < loggedMinute + 1) continue
    const before = samples.findLast(({ minute }) => minute <= sample.minute - 1)
    if (sample.records === before?.records) throw new Error('nothing was processed for a minute')
    loggedMinute = Math.floor(sample.minute)
    log(
      `minute ${loggedMinute}: ${Math.round(sample.records / sample.minute / 60)} records/s, ` +
        `${Math.round(sample.scanSkippedKeys / sample.scanSeeks)} keys skipped a scan, ` +
        `RSS ${mebibytes(sample.rssBytes)}, heap ${mebibytes(sample.heapBytes)}, ` +
        `${sample.openScans} open scans, ${sample.nativeObjects} native objects`,
    )
  }
  await process.stop()
  return samples
}

/** Null when a stream thread was too busy to answer in time. */
async function look(pid: number, metricsUrl: string, startMs: number): Promise<Sample | null> {
  const response = await fetch(metricsUrl, { signal: AbortSignal.timeout(20_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${metricsUrl}: ${text}`)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const sample = {
    minute: Number(((Date.now() - startMs) / 60_000).toFixed(3)),
    records: sumOf(text, 'weir_process_records_total'),
    rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024,
    heapBytes: sumOf(text, 'weir_heap_used_bytes'),
    openScans: sumOf(text, 'weir_state_open_scans'),
    nativeObjects: sumOf(text, 'weir_native_objects'),
    memtableBytes: sumOf(text, 'weir_rocksdb_memtable_bytes'),
    blockCacheBytes: sumOf(text, 'weir_rocksdb_block_cache_bytes'),
    scanSeeks: sumOf(text, 'weir_rocksdb_scan_seeks_total'),
    scanSkippedKeys: sumOf(text, 'weir_rocksdb_scan_skipped_keys_total'),
    flushes: sumOf(text, 'weir_rocksdb_flushes_total'),
    compactions: sumOf(text, 'weir_rocksdb_compactions_total'),
    compactionWrittenBytes: sumOf(text, 'weir_rocksdb_compaction_written_bytes_total'),
  }
  return Object.values(sample).some(Number.isNaN) ? null : sample
}

function lineOf(figure: string, { median, max, slopePerMinute, slopeUncertainty, isFlat }: Trend): string {
  const number = (value: number) => Number(value.toPrecision(4)).toLocaleString('en-US')
  return (
    `${figure}: ${isFlat ? 'flat' : 'GROWS'}; median ${number(median)}, at most ${number(max)}, ` +
    `${number(slopePerMinute)} ± ${number(slopeUncertainty)} a minute`
  )
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`
}
