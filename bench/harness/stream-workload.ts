import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type KafkaService, startKafka } from '../../test/services/kafka.ts'
import { createTopic, deleteTopics } from '../../test/services/kafka-client.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { compilePeers, runJavaHelper } from './java.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { type Measured, measure, type Verification } from './measure.ts'
import { repoDir } from './paths.ts'
import { type BenchResults, computeRatios, type RunResult } from './results.ts'
import type { ProcessingGuarantee, System } from './system.ts'
import { type CommonNumber, commonNumbers, type NumberOption, type WorkloadOptions } from './workload.ts'

const MiB = 2 ** 20
/** Kafka Streams' defaults by guarantee. */
const commitIntervalMs: Readonly<Record<ProcessingGuarantee, number>> = {
  at_least_once: 30_000,
  exactly_once_v2: 100,
}

export const streamNumbers = {
  ...commonNumbers,
  threads: [1, 'stream threads'],
} as const satisfies Record<string, NumberOption>

export type StreamNumber = CommonNumber | 'threads' | 'records'

/** One variant of a workload that reads a filled topic, keeps state, and puts out one record for each input record. */
export interface StreamVariant {
  readonly name: string
  /** For the results. */
  readonly settings: Readonly<Record<string, number>>
  /** Decoded values of Weir, the record cache of Kafka Streams. */
  readonly stateCacheBytes: number
  /** Default: at_least_once. */
  readonly processingGuarantee?: ProcessingGuarantee
  /** Set-ups that are of interest in this variant only. */
  readonly besides?: readonly System[]
  /** The topics to fill by what topology and peer know them: `input`, and whatever `load` fills besides. */
  readonly topics: readonly string[]
  /** The Java program that fills them, and its arguments besides the topics. */
  readonly loader: string
  readonly load: Readonly<Record<string, number>>
  /** The Java program that computes the result by itself and compares. */
  readonly verifier: string
  /** The verifier's arguments besides the topics. Default: none. */
  readonly verify?: Readonly<Record<string, number>>
}

export interface StreamWorkload {
  readonly name: string
  readonly variants: readonly StreamVariant[]
  readonly systems: readonly System[]
}

/** Runs every system on one broker and the same topics, round by round, the peers before Weir in each round. */
export async function runStreamWorkload(
  { name: workload, ...what }: StreamWorkload,
  options: WorkloadOptions<StreamNumber>,
  log: (line: string) => void,
): Promise<BenchResults> {
  const chosen = (systems: readonly System[]) =>
    systems.filter(({ family }) => options.systems.includes(family))
  const variants = what.variants.filter(({ name }) => options.variants.includes(name))
  await compilePeers()
  const workDir = makeScratchDir('bench')
  const logDir = join(repoDir, 'build/bench/logs')
  rmSync(logDir, { recursive: true, force: true })
  mkdirSync(logDir, { recursive: true })
  const runs: RunResult[] = []
  const progress: Record<string, Measured['progress']> = {}
  await using kafka = await startKafka({ measured: true })
  for (const variant of variants) {
    const topics = await loadTopics(kafka, variant, options, log)
    const { processingGuarantee = 'at_least_once', besides = [] } = variant
    const systems = chosen([...besides, ...what.systems])
    for (let round = 1; round <= options.runs; round++) {
      for (const system of systems) {
        const runName = `${variant.name}-${round}-${system.name}`
        const measured = await measure({
          kafka,
          system,
          variant: variant.name,
          round,
          topics,
          partitions: options.partitions,
          records: options.records,
          threads: options.threads,
          commitIntervalMs: commitIntervalMs[processingGuarantee],
          processingGuarantee,
          stateCacheBytes: variant.stateCacheBytes,
          stateDir: join(workDir, runName),
          logFile: join(logDir, `${runName}.log`),
          timeoutMs: options.timeoutSeconds * 1_000,
          verify: (output) =>
            runJavaHelper<Verification>(variant.verifier, {
              bootstrap: kafka.bootstrapServers,
              ...topics,
              output,
              ...variant.verify,
            }),
        })
        runs.push(measured.result)
        progress[runName] = measured.progress
        log(lineOf(measured))
      }
    }
    await deleteTopics(kafka.bootstrapServers, Object.values(topics))
  }
  const systems = chosen([...what.variants.flatMap(({ besides = [] }) => besides), ...what.systems])
  const familyOf = (name: string) => systems.find((system) => system.name === name)?.family ?? name
  const ours = what.systems.flatMap(({ name, family }) => (family === 'weir' ? [name] : []))
  return {
    workload,
    machine: describeMachine(),
    versions: describeVersions(),
    settings: {
      ...options,
      commitIntervalMs,
      variants: Object.fromEntries(
        variants.map(({ name, settings, stateCacheBytes, processingGuarantee = 'at_least_once' }) => [
          name,
          { ...settings, stateCacheBytes, processingGuarantee },
        ]),
      ),
      inputCompression: 'lz4',
      order: systems.map(({ name }) => name),
      systems: Object.fromEntries(systems.map((system) => [system.name, system.describe()])),
      progress,
      ratios: "the peer's set-up with the most records per CPU-second; medians of the rounds' ratios",
      method: 'bench/README.md',
    },
    runs,
    ratios: computeRatios(runs, familyOf, ours),
  }
}

/** @returns the topics' names by what topology and peer know them */
async function loadTopics(
  { bootstrapServers }: KafkaService,
  variant: StreamVariant,
  { partitions, records, seed }: WorkloadOptions<StreamNumber>,
  log: (line: string) => void,
): Promise<{ input: string } & Record<string, string>> {
  const topics = { input: `input-${variant.name}` } as { input: string } & Record<string, string>
  for (const role of variant.topics) topics[role] = `${role}-${variant.name}`
  for (const topic of Object.values(topics)) await createTopic(bootstrapServers, topic, partitions)
  const loaded = await runJavaHelper<{ ms: number }>(variant.loader, {
    bootstrap: bootstrapServers,
    ...topics,
    records,
    seed,
    ...variant.load,
  })
  log(`${variant.name}: ${records} records loaded in ${loaded.ms} ms, seed ${seed}`)
  return topics
}

function lineOf({ result, progress }: Measured): string {
  const { variant, round, system, recordsPerSecond, recordsPerCpuSecond, brokerCpuSeconds, peakRssBytes } =
    result
  return [
    `${variant} round ${round} ${system.padEnd(21)}`,
    `${recordsPerSecond} records/s`,
    `${recordsPerCpuSecond} records/CPU-s`,
    `broker ${brokerCpuSeconds} CPU-s`,
    `peak RSS ${Math.round(peakRssBytes / MiB)} MiB`,
    `longest pause ${progress.longestPauseMs} ms`,
    `${result.outputsPerInput} outputs a record`,
    'verified',
  ].join(', ')
}
