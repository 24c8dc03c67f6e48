import { mkdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type rdkafka from 'node-rdkafka'
import type { KafkaService } from '../../test/services/kafka.ts'
import {
  createTopic,
  deleteTopics,
  endOffsetsOf,
  listTopics,
  withConsumer,
} from '../../test/services/kafka-client.ts'
import { ProcessSampler, readProcessUsage } from './process-sampler.ts'
import { type RunResult, round } from './results.ts'
import type { ProcessingGuarantee, System, SystemOptions, SystemProcess } from './system.ts'

export interface Measurement {
  kafka: KafkaService
  system: System
  variant: string
  round: number
  /** By what topology and peer know them. */
  topics: { readonly input: string } & Readonly<Record<string, string>>
  partitions: number
  records: number
  threads: number
  commitIntervalMs: number
  processingGuarantee: ProcessingGuarantee
  stateCacheBytes: number
  /** For the state of this run; removed after it. */
  stateDir: string
  /** Takes what the system prints. */
  logFile: string
  timeoutMs: number
  /** Compares what the system put out with what is right. */
  verify(outputTopic: string): Promise<Verification>
}

/** How steadily the output grew. */
export interface Progress {
  /** The longest time, ms, without a new output record, from the first to the last. */
  longestPauseMs: number
  /** Output records per second in each tenth of them. */
  tenths: number[]
}

/** What a verifier says. What else it says tells what is wrong. */
export interface Verification extends Progress {
  /** Of the input. */
  records: number
  isRight: boolean
  outputRecords: number
  lastAppendMs: number
}

export interface Measured {
  result: RunResult
  progress: Progress
}

const pollIntervalMs = 50
const committedTimeoutMs = 10_000

/**
 * Runs a system on a filled topic until every record has been processed and committed, and verifies what it put out. bench/README.md
 * says what is measured from when to when. Throws when the result is not the true one: a wrong result has no speed.
 */
export async function measure(measurement: Measurement): Promise<Measured> {
  const { kafka, system, variant, topics, records, stateDir, logFile, partitions } = measurement
  const { bootstrapServers } = kafka
  const applicationId = `bench-${variant}-${measurement.round}-${system.name}`.toLowerCase()
  const outputTopic = `${applicationId}-output`
  mkdirSync(stateDir, { recursive: true })
  // The broker stamps the records: the last stamp is when the last output arrived, whoever wrote it.
  await createTopic(bootstrapServers, outputTopic, partitions, { 'message.timestamp.type': 'LogAppendTime' })

  const spawnedMs = Date.now()
  const options: SystemOptions = {
    bootstrapServers,
    applicationId,
    topics: { ...topics, output: outputTopic },
    records,
    threads: measurement.threads,
    commitIntervalMs: measurement.commitIntervalMs,
    processingGuarantee: measurement.processingGuarantee,
    stateCacheBytes: measurement.stateCacheBytes,
    stateDir,
    logFile,
  }
  await using process = await system.start(options)
  using sampler = new ProcessSampler(process.pid)
  const guard = guardOf(process, system.name, measurement.timeoutMs)
  await Promise.race([process.ready(), guard])
  const startMs = Date.now()
  const atStart = sampler.sample()
  const brokerAtStart = brokerCpuSeconds(kafka)

  const watching = new AbortController()
  const firstOutputMs = await Promise.race([
    untilProcessed(measurement, options, process, watching.signal),
    guard,
  ]).finally(() => watching.abort())
  await process.stop()
  const atEnd = sampler.latest
  const brokerAtEnd = brokerCpuSeconds(kafka)

  const verified = await measurement.verify(outputTopic)
  if (verified.records !== records || !verified.isRight) {
    throw new Error(
      `${system.name}, ${variant}: the result is wrong: ${JSON.stringify(verified)}; its log: ${logFile}`,
    )
  }
  const existing = await listTopics(bootstrapServers)
  await deleteTopics(
    bootstrapServers,
    [...existing.keys()].filter((topic) => topic.startsWith(applicationId)),
  )
  rmSync(stateDir, { recursive: true })

  const result: RunResult = {
    variant,
    system: system.name,
    round: measurement.round,
    recordsPerSecond: round((records * 1_000) / (verified.lastAppendMs - startMs)),
    recordsPerCpuSecond: round(records / (atEnd.cpuSeconds - atStart.cpuSeconds)),
    brokerCpuSeconds: round(brokerAtEnd - brokerAtStart, 2),
    peakRssBytes: atEnd.peakRssBytes,
    diskBytesWritten: atEnd.diskBytesWritten,
    outputsPerInput: round(verified.outputRecords / records, 4),
    p50Ms: null,
    p99Ms: null,
    p999Ms: null,
    firstRecordMs: firstOutputMs === null ? null : firstOutputMs - spawnedMs,
  }
  const { longestPauseMs, tenths } = verified
  return { result, progress: { longestPauseMs, tenths } }
}

/** Rejects when the process ends by itself or the time is up. */
async function guardOf(process: SystemProcess, name: string, timeoutMs: number): Promise<never> {
  const timeout = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`${name} was not done within ${timeoutMs} ms`)
  })
  const guard = Promise.race([process.failure(), timeout])
  // It is awaited only while something is awaited; a failure in between is seen by the next race.
  guard.catch(() => {})
  return guard
}

/**
 * Waits until every record has been processed: the output topic has one record for each; or, where it also has the markers of transactions, the
 * group has committed all; or, where updates are held back, the system says so.
 * Returns when the first output was seen, null where outputs are held back.
 */
async function untilProcessed(
  { system, records, kafka, topics, partitions, processingGuarantee }: Measurement,
  { applicationId, topics: { output: outputTopic = '' } }: SystemOptions,
  process: SystemProcess,
  signal: AbortSignal,
): Promise<number | null> {
  if (!system.forwardsEveryUpdate) {
    await process.processed()
    return null
  }
  let firstOutputMs: number | null = null
  // Asks for this group's offsets, and never joins it.
  const group = { 'group.id': applicationId }
  await withConsumer(kafka.bootstrapServers, group, async (consumer) => {
    while (!signal.aborted) {
      const outputs = await outputCount(consumer, outputTopic)
      if (outputs > 0) firstOutputMs ??= Date.now()
      const isTransactional = processingGuarantee === 'exactly_once_v2'
      const done = isTransactional ? await committedCount(consumer, topics.input, partitions) : outputs
      if (done >= records) return
      await sleep(pollIntervalMs)
    }
  })
  return firstOutputMs
}

async function outputCount(consumer: rdkafka.KafkaConsumer, topic: string): Promise<number> {
  const ends = await endOffsetsOf(consumer, topic)
  return ends.reduce((sum, end) => sum + end, 0)
}

/** Offsets committed by the consumer's group, all partitions together. */
async function committedCount(
  consumer: rdkafka.KafkaConsumer,
  topic: string,
  partitions: number,
): Promise<number> {
  const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const committed = await new Promise<rdkafka.TopicPartitionOffset[]>((resolve, reject) =>
    consumer.committed(asked, committedTimeoutMs, (error, offsets) =>
      error ? reject(error) : resolve(offsets),
    ),
  )
  return committed.reduce((sum, { offset }) => sum + Math.max(0, offset ?? 0), 0)
}

function brokerCpuSeconds(kafka: KafkaService): number {
  const usage = readProcessUsage(kafka.pid)
  if (usage === null) throw new Error(`the broker has ended; its log: ${kafka.logFile}`)
  return usage.cpuSeconds
}
