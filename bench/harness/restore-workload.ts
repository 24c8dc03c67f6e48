import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaService, startKafka } from '../../test/services/kafka.ts'
import { createTopic, deleteTopics } from '../../test/services/kafka-client.ts'
import { makeScratchDir } from '../../test/services/scratch-dir.ts'
import { compilePeers, runJavaHelper } from './java.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { repoDir } from './paths.ts'
import { ProcessSampler, readProcessUsage } from './process-sampler.ts'
import { type ReadRound, readsAtSpeedMs, usualReadMicros } from './reads-at-speed.ts'
import { type RestoreSystem, restoreSystems } from './restore-systems.ts'
import { type BenchResults, computeRatios, type RunResult, round } from './results.ts'
import {
  type CommonNumber,
  commonNumbers,
  valueBytes,
  type Workload,
  type WorkloadOptions,
} from './workload.ts'

const MiB = 2 ** 20

type RestoreBenchOptions = WorkloadOptions<CommonNumber | 'records' | 'keys' | 'valueBytes'>

const variants: { name: string; keys(options: RestoreBenchOptions): number }[] = [
  { name: 'uniform', keys: ({ keys }) => keys },
  // Of ten records of a key nine are superseded.
  { name: 'superseded', keys: ({ records }) => Math.max(1, Math.floor(records / 10)) },
]

export const restore: Workload<CommonNumber | 'records' | 'keys' | 'valueBytes'> = {
  name: 'restore',
  description: 'a lost store is restored from its changelog, until it is read at its usual speed',
  variants: variants.map(({ name }) => name),
  systems: restoreSystems.map(({ name }) => name),
  numbers: {
    records: [4_000_000, 'changelog records'],
    keys: [1_000_000, 'keys of the variant uniform; superseded has a tenth of the records'],
    valueBytes,
    ...commonNumbers,
  },
  run: runRestore,
}

const readRounds = 20
const readsPerRound = 500

interface Contents {
  rows: number
  sum: number
}

interface Changelog extends Contents {
  applicationId: string
  inputTopic: string
  topic: string
  keys: number
}

/** Restores the same changelog with every system on one broker, round by round, the peer before Weir in each round. */
async function runRestore(options: RestoreBenchOptions, log: (line: string) => void): Promise<BenchResults> {
  const systems = restoreSystems.filter(({ name }) => options.systems.includes(name))
  await compilePeers()
  const workDir = makeScratchDir('bench')
  const logDir = join(repoDir, 'build/bench/logs')
  rmSync(logDir, { recursive: true, force: true })
  mkdirSync(logDir, { recursive: true })
  const runs: RunResult[] = []
  const readMicros: Record<string, number> = {}
  await using kafka = await startKafka({ measured: true })
  for (const variant of variants.filter(({ name }) => options.variants.includes(name))) {
    const changelog = await loadChangelog(kafka, variant.name, variant.keys(options), options, log)
    for (let number = 1; number <= options.runs; number++) {
      for (const system of systems) {
        const runName = `restore-${variant.name}-${number}-${system.name}`
        const { result, usualMicros } = await measure(kafka, system, changelog, options, {
          variant: variant.name,
          round: number,
          stateDir: join(workDir, runName),
          logFile: join(logDir, `${runName}.log`),
        })
        runs.push(result)
        readMicros[runName] = usualMicros
        log(lineOf(result, usualMicros))
      }
    }
    await deleteTopics(kafka.bootstrapServers, [changelog.inputTopic, changelog.topic])
  }
  return {
    workload: 'restore',
    machine: describeMachine(),
    versions: describeVersions(),
    settings: {
      ...options,
      variants: Object.fromEntries(
        variants
          .filter(({ name }) => options.variants.includes(name))
          .map(({ name, keys }) => [name, { keys: keys(options) }]),
      ),
      compression: 'lz4',
      systems: Object.fromEntries(
        systems.map((system) => [system.name, system.describe(options.memoryBytes)]),
      ),
      usualReadMicros: readMicros,
      ratios: "medians of the rounds' ratios",
      method: 'bench/README.md',
    },
    runs,
    ratios: computeRatios(runs, (name) => name),
  }
}

async function loadChangelog(
  { bootstrapServers }: KafkaService,
  variant: string,
  keys: number,
  { records, valueBytes, seed, partitions }: RestoreBenchOptions,
  log: (line: string) => void,
): Promise<Changelog> {
  const applicationId = `bench-restore-${variant}`
  const inputTopic = `${applicationId}-input`
  const topic = `${applicationId}-rows-changelog`
  await createTopic(bootstrapServers, inputTopic, partitions)
  await createTopic(bootstrapServers, topic, partitions, { 'cleanup.policy': 'compact' })
  const settings = { bootstrap: bootstrapServers, topic, records, keys, partitions, valueBytes, seed }
  const { rows, sum, ms } = await runJavaHelper<Contents & { ms: number }>('LoadChangelog', settings)
  log(`${variant}: ${records} records of ${keys} keys, ${rows} rows, loaded in ${ms} ms, seed ${seed}`)
  return { applicationId, inputTopic, topic, keys, rows, sum }
}

/** One restore, timed as bench/README.md says. Throws when the rows are not those of the changelog: a wrong result has no speed. */
async function measure(
  kafka: KafkaService,
  system: RestoreSystem,
  changelog: Changelog,
  { records, partitions, memoryBytes, timeoutSeconds }: RestoreBenchOptions,
  run: { variant: string; round: number; stateDir: string; logFile: string },
): Promise<{ result: RunResult; usualMicros: number }> {
  mkdirSync(run.stateDir, { recursive: true })
  const spawnedMs = Date.now()
  await using process = await system.start({
    bootstrapServers: kafka.bootstrapServers,
    applicationId: changelog.applicationId,
    inputTopic: changelog.inputTopic,
    partitions,
    keys: changelog.keys,
    rounds: readRounds,
    readsPerRound,
    memoryBytes,
    stateDir: run.stateDir,
    logFile: run.logFile,
  })
  using sampler = new ProcessSampler(process.pid)
  const timeout = sleep(timeoutSeconds * 1_000, undefined, { ref: false }).then(() => {
    throw new Error(`${system.name} was not done within ${timeoutSeconds} s`)
  })
  const guard = Promise.race([process.failure(), timeout])
  guard.catch(() => {})
  const events = <Data>(name: string, count: number) =>
    Promise.race([process.events<Data>(name, count), guard])

  const [begun] = await events<{ atMs: number }>('restoring', 1)
  const atStart = sampler.sample()
  const brokerAtStart = brokerCpuSeconds(kafka)
  await events('ready', 1)
  const atReady = sampler.sample()
  const brokerAtReady = brokerCpuSeconds(kafka)
  const reads = await events<ReadRound>('reads', partitions * readRounds)
  const contents = await events<Contents>('rows', partitions)
  await process.stop()
  rmSync(run.stateDir, { recursive: true })

  const rows = contents.reduce((total, each) => total + each.rows, 0)
  const sum = contents.reduce((total, each) => total + each.sum, 0)
  if (rows !== changelog.rows || sum !== changelog.sum) {
    throw new Error(
      `${system.name}, ${run.variant}: the rows are wrong: ${rows} rows with the sum ${sum} instead of ` +
        `${changelog.rows} with ${changelog.sum}; its log: ${run.logFile}`,
    )
  }
  const atSpeedMs = readsAtSpeedMs(reads)
  return {
    usualMicros: round(usualReadMicros(reads, readsPerRound), 2),
    result: {
      variant: run.variant,
      system: system.name,
      round: run.round,
      recordsPerSecond: round((records * 1_000) / (atSpeedMs - (begun as { atMs: number }).atMs)),
      recordsPerCpuSecond: round(records / (atReady.cpuSeconds - atStart.cpuSeconds)),
      brokerCpuSeconds: round(brokerAtReady - brokerAtStart, 2),
      peakRssBytes: atReady.peakRssBytes,
      diskBytesWritten: sampler.latest.diskBytesWritten,
      outputsPerInput: 0,
      p50Ms: null,
      p99Ms: null,
      p999Ms: null,
      firstRecordMs: atSpeedMs - spawnedMs,
    },
  }
}

function brokerCpuSeconds(kafka: KafkaService): number {
  const usage = readProcessUsage(kafka.pid)
  if (usage === null) throw new Error(`the broker has ended; its log: ${kafka.logFile}`)
  return usage.cpuSeconds
}

function lineOf(result: RunResult, usualMicros: number): string {
  return [
    `${result.variant} round ${result.round} ${result.system.padEnd(13)}`,
    `${result.recordsPerSecond} records/s`,
    `${result.recordsPerCpuSecond} records/CPU-s`,
    `broker ${result.brokerCpuSeconds} CPU-s`,
    `peak RSS ${Math.round(result.peakRssBytes / MiB)} MiB`,
    `written ${Math.round(result.diskBytesWritten / MiB)} MiB`,
    `a read ${usualMicros} us`,
    'verified',
  ].join(', ')
}
