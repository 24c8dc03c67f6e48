import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type KafkaService, startKafka } from '../../test/services/kafka.ts'
import { createTopic, deleteTopics } from '../../test/services/kafka-client.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { compilePeers, runJavaHelper } from './java.ts'
import { kafkaStreams } from './kafka-streams.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { measure } from './measure.ts'
import { repoDir } from './paths.ts'
import { type BenchResults, computeRatios, type RunResult } from './results.ts'
import type { System } from './system.ts'
import { weir } from './weir.ts'

const MiB = 2 ** 20

export interface CountOptions {
  records: number
  keys: number
  hotKeys: number
  /** Rounds of all systems, one after the other. */
  rounds: number
  variants: string[]
  families: string[]
  seed: number
  partitions: number
  threads: number
  valueBytes: number
  commitIntervalMs: number
  memoryBytes: number
  timeoutMs: number
}

interface Variant {
  name: string
  keys(options: CountOptions): number
  /** Decoded values of Weir, the record cache of Kafka Streams. */
  stateCacheBytes: number
}

const variants: Variant[] = [
  { name: 'uniform-64MiB', keys: ({ keys }) => keys, stateCacheBytes: 64 * MiB },
  { name: 'uniform-cached', keys: ({ keys }) => keys, stateCacheBytes: 512 * MiB },
  { name: 'hot', keys: ({ hotKeys }) => hotKeys, stateCacheBytes: 64 * MiB },
]
export const countVariants = variants.map(({ name }) => name)
export const countFamilies = ['kafka-streams', 'weir']

/** Counts records per key with every system on one broker and one topic, round by round, the peers before Weir in each round. */
export async function runCount(options: CountOptions, log: (line: string) => void): Promise<BenchResults> {
  const systems = [
    kafkaStreams(false),
    kafkaStreams(true),
    weir('bench/pipeline/count.ts', options.memoryBytes),
  ].filter(({ family }) => options.families.includes(family))
  await compilePeers()
  const workDir = makeScratchDir('bench')
  const logDir = join(repoDir, 'build/bench/logs')
  rmSync(logDir, { recursive: true, force: true })
  mkdirSync(logDir, { recursive: true })
  const runs: RunResult[] = []
  await using kafka = await startKafka()
  for (const variant of variants.filter(({ name }) => options.variants.includes(name))) {
    const inputTopic = `input-${variant.name}`
    await loadInput(kafka, inputTopic, variant, options, log)
    for (let round = 1; round <= options.rounds; round++) {
      for (const system of systems) {
        const runName = `${variant.name}-${round}-${system.name}`
        const result = await measure({
          kafka,
          system,
          variant: variant.name,
          round,
          inputTopic,
          partitions: options.partitions,
          records: options.records,
          threads: options.threads,
          commitIntervalMs: options.commitIntervalMs,
          stateCacheBytes: variant.stateCacheBytes,
          stateDir: join(workDir, runName),
          logFile: join(logDir, `${runName}.log`),
          timeoutMs: options.timeoutMs,
        })
        runs.push(result)
        log(lineOf(result))
      }
    }
    await deleteTopics(kafka.bootstrapServers, [inputTopic])
  }
  const familyOf = (name: string) => systems.find((system) => system.name === name)?.family ?? name
  return {
    workload: 'count',
    machine: describeMachine(),
    versions: describeVersions(),
    settings: describeSettings(options, systems),
    runs,
    ratios: computeRatios(runs, familyOf),
  }
}

async function loadInput(
  { bootstrapServers }: KafkaService,
  topic: string,
  variant: Variant,
  { records, valueBytes, seed, partitions, ...options }: CountOptions,
  log: (line: string) => void,
): Promise<void> {
  const keys = variant.keys({ records, valueBytes, seed, partitions, ...options })
  await createTopic(bootstrapServers, topic, partitions)
  const settings = { bootstrap: bootstrapServers, topic, records, keys, valueBytes, seed }
  const loaded = await runJavaHelper<{ ms: number }>('LoadTopic', settings)
  log(`${variant.name}: ${records} records of ${keys} keys loaded in ${loaded.ms} ms, seed ${seed}`)
}

function describeSettings(options: CountOptions, systems: System[]): Record<string, unknown> {
  const { variants: names, families: _, ...numbers } = options
  return {
    ...numbers,
    variants: Object.fromEntries(
      variants
        .filter(({ name }) => names.includes(name))
        .map(({ name, keys, stateCacheBytes }) => [name, { keys: keys(options), stateCacheBytes }]),
    ),
    processingGuarantee: 'at_least_once',
    inputCompression: 'lz4',
    order: systems.map(({ name }) => name),
    systems: Object.fromEntries(systems.map((system) => [system.name, system.describe()])),
    ratios: "the peer's set-up with the most records per CPU-second; medians of the rounds' ratios",
    method: 'bench/README.md',
  }
}

function lineOf(result: RunResult): string {
  const { variant, round, system, recordsPerSecond, recordsPerCpuSecond, brokerCpuSeconds, peakRssBytes } =
    result
  return [
    `${variant} round ${round} ${system.padEnd(21)}`,
    `${recordsPerSecond} records/s`,
    `${recordsPerCpuSecond} records/CPU-s`,
    `broker ${brokerCpuSeconds} CPU-s`,
    `peak RSS ${Math.round(peakRssBytes / MiB)} MiB`,
    `${result.outputsPerInput} outputs a record`,
    'verified',
  ].join(', ')
}
