import path from 'node:path'

import type { TierOptions } from '../cassandra/cassandra-tier.ts'
import type { TaskRows } from '../cassandra/row-write.ts'
import { decodeOffsetMetadata } from '../commit/offset-metadata.ts'
import { recordBytesMax } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { PartitionInput, type PartitionReader } from '../consume/partition-input.ts'
import type { BatchPool } from '../consume/record-batch.ts'
import type { Producer, TopicPartitionOffset } from '../native.ts'
import type { ThreadCounters } from '../observe/thread-counters.ts'
import type { SinkTopic } from '../process/node.ts'
import type { RecordTracer } from '../process/record-tracer.ts'
import { TaskClock } from '../process/task-clock.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import type { Store } from '../state/store.ts'
import { cassandraSinks } from '../topology/cassandra-sinks.ts'
import { sinkTopics, type TopologyDefinition } from '../topology/definition.ts'
import { tieredStores } from '../topology/tiered-stores.ts'
import { changelogTopic, realTopic } from '../topology/topic-names.ts'
import { type ErrorPolicy, errorPolicy } from './error-policy.ts'
import { FailedOutputs } from './failed-outputs.ts'
import { FailedRows } from './failed-rows.ts'
import type { TaskAssignment, TaskId } from './protocol.ts'
import type { SlowRecords } from './slow-records.ts'
import { Task } from './task.ts'
import type { SourcePartition } from './task-options.ts'
import { type StateEnvironment, TaskStateManager } from './task-state-manager.ts'

/**
 * Records of a batch that waits until its rows are there: what it waits for at the most before the first of them is processed. In larger ones a task that has nothing here would
 * stand still for seconds; smaller ones would wait for Cassandra more often than it takes to answer.
 */
const LOADING_BATCH_RECORDS_MAX = 1_024

/** Where a task's database is. */
export function taskFolder(config: Config, id: TaskId): string {
  return path.join(config.stateDir, config.applicationId, id)
}

/** What a stream thread's tasks share. */
export interface TaskFactoryOptions extends StateEnvironment {
  readonly topology: TopologyDefinition
  readonly consumer: PartitionReader
  readonly producer: Producer
  readonly output: OutputBatch
  readonly pool: BatchPool
  readonly counters: ThreadCounters
  readonly onPrefetched: (error: unknown) => void
  /** As of PromiseOptions. Default: nothing is to be done. */
  readonly onProgress?: () => void
  /** As of TaskOptions. */
  readonly emitIntervalMs?: number
  readonly globalStores?: ReadonlyMap<string, Store>
  readonly isGlobal?: boolean
  readonly tracer?: RecordTracer | null
  /** As of TaskOptions. */
  readonly slowRecords?: SlowRecords | null
  /** For the rows of another task. REQUIRED where the topology writes to Cassandra. */
  readonly openRows?: () => TaskRows
  /** For the tiered stores of another task. Default: there is no Cassandra, and they have what is here. */
  readonly openTiers?: () => TierOptions
}

/** Makes a stream thread's tasks out of assignments, with their databases open. Used by that thread. */
export class TaskFactory {
  readonly #options: TaskFactoryOptions
  /** Of tasks with tiered stores. */
  readonly #loadingPool: BatchPool
  readonly #sinkTopics = new Map<string, SinkTopic>()
  readonly #errors: { readonly policy: ErrorPolicy; readonly recordBytesMax: number }

  constructor(options: TaskFactoryOptions) {
    this.#options = options
    this.#loadingPool = options.pool.withCapacity(LOADING_BATCH_RECORDS_MAX)
    const { config, topology } = options
    this.#errors = {
      policy: errorPolicy(config, topology.errorHandlers),
      recordBytesMax: recordBytesMax(config),
    }
  }

  /** @returns a task whose state is open and not yet restored */
  async open(assignment: TaskAssignment): Promise<Task> {
    const { config, topology, output, counters, onPrefetched, warn, emitIntervalMs } = this.#options
    const { systemTimeMs = Date.now, globalStores, isGlobal, tracer, openRows } = this.#options
    const { onProgress = () => {} } = this.#options
    const { openTiers, slowRecords = null } = this.#options
    const definition = topology.subtopologies.find(({ id }) => id === assignment.subtopology)!
    const hasTiers = openTiers !== undefined && tieredStores(definition.stores).length > 0
    const clock = new TaskClock(systemTimeMs, slowRecords?.ticks)
    for (const store of definition.stores) if (store.logging) this.#registerChangelog(store.name)
    const folder = taskFolder(config, assignment.id)
    const state =
      definition.stores.length === 0
        ? null
        : await TaskStateManager.open(
            definition,
            assignment.partition,
            folder,
            assignment.inputs,
            this.#options,
            () => clock.timestamp,
          )
    return new Task({
      applicationId: config.applicationId,
      assignment,
      definition,
      inputs: this.#inputs(assignment, definition.sourceTopics, hasTiers),
      output,
      rows: cassandraSinks(definition.nodes).length > 0 ? openRows!() : null,
      tiers: hasTiers ? openTiers() : null,
      sinkTopic: (name) => this.#sinkTopic(name),
      clock,
      state,
      counters,
      maxTaskIdleMs: config.maxTaskIdleMs,
      errors: this.#errors,
      taskTimeoutMs: config.taskTimeoutMs,
      promises: { timeoutMs: config.asyncTimeoutMs, bytesMax: config.batchBytesMax, onProgress },
      onPrefetched,
      slowRecords,
      warn,
      ...(emitIntervalMs !== undefined && { emitIntervalMs }),
      ...(globalStores !== undefined && { globalStores }),
      ...(isGlobal !== undefined && { isGlobal }),
      ...(tracer !== undefined && { tracer }),
    })
  }

  #inputs(assignment: TaskAssignment, sourceTopics: readonly string[], hasTiers: boolean): SourcePartition[] {
    const { config, topology } = this.#options
    const definitionNames = new Map(
      sourceTopics.map((name) => [realTopic(topology, config.applicationId, name), name]),
    )
    const pool = hasTiers ? this.#loadingPool : this.#options.pool
    return assignment.inputs.map((start) => this.input(start, definitionNames.get(start.topic), pool))
  }

  /** @param definitionTopic none: a source's pattern matches the topic */
  input(
    start: TopicPartitionOffset,
    definitionTopic?: string,
    pool: BatchPool = this.#options.pool,
  ): SourcePartition {
    const { consumer, counters } = this.#options
    const { topic, partition, offset, metadata } = start
    const partitionTimeMs = decodeOffsetMetadata(metadata)
    const from = { topic, partition, offset, partitionTimeMs, mayGo: definitionTopic === undefined }
    const input = new PartitionInput(consumer, pool, counters.consumed(topic), from)
    return { definitionTopic: definitionTopic ?? topic, input }
  }

  /** Asks the production handler about outputs that brokers refuse; null where nobody is asked, and under exactly-once. */
  failedOutputs(): FailedOutputs | null {
    const { config } = this.#options
    const { policy } = this.#errors
    if (!this.#keepsFailures || policy.production === null) return null
    return new FailedOutputs({
      ...this.#askedAtCommits,
      handler: policy.production,
      deadLetterTopicName: policy.deadLetterTopic,
      sink: (id) => this.#sinkOf(id),
      retryTimeoutMs: config.taskTimeoutMs,
      systemTimeMs: Date.now,
    })
  }

  /** Asks the production handler about rows that Cassandra does not take. */
  failedRows(): FailedRows {
    const { config, systemTimeMs = Date.now } = this.#options
    return new FailedRows({
      ...this.#askedAtCommits,
      handler: this.#errors.policy.production,
      isExactlyOnce: config.processingGuarantee === 'exactly_once_v2',
      systemTimeMs,
    })
  }

  /** What there is to ask the production handler with at a commit, and to write its dead letters. */
  get #askedAtCommits() {
    const { config, producer, output, counters, warn } = this.#options
    const { policy, recordBytesMax } = this.#errors
    const deadLetterTopic = (name: string): SinkTopic => this.#sinkTopic(name)
    return {
      ...{ producer, output, counters, warn, policy, recordBytesMax, deadLetterTopic },
      flushTimeoutMs: config.maxPollIntervalMs,
    }
  }

  get #keepsFailures(): boolean {
    return (
      this.#errors.policy.production !== null && this.#options.config.processingGuarantee === 'at_least_once'
    )
  }

  #sinkOf(id: number): { readonly topic: SinkTopic; readonly node: string } {
    const [name, topic] = [...this.#sinkTopics].find(([, known]) => known.id === id)!
    const { topology, config } = this.#options
    const sinks = topology.subtopologies
      .flatMap(({ nodes }) => nodes)
      .filter((node) => node.kind === 'sink')
      .filter((node) =>
        sinkTopics(node).some((one) => realTopic(topology, config.applicationId, one) === name),
      )
    return { topic, node: sinks[0]?.name ?? name }
  }

  /** A database writes its changelogs through topics that the producer knows. */
  #registerChangelog(store: string): void {
    const { config, topics, producer } = this.#options
    const topic = changelogTopic(config.applicationId, store)
    producer.topic(topic, topics[topic]!.partitions)
  }

  #sinkTopic(name: string): SinkTopic {
    const { config, topology, topics, producer, counters } = this.#options
    const real = realTopic(topology, config.applicationId, name)
    let topic = this.#sinkTopics.get(real)
    if (topic === undefined) {
      const { partitions } = topics[real]!
      // A dead letter that is refused is not dropped in its turn.
      const keepsFailures = this.#keepsFailures && !this.#errors.policy.deadLetterTopics.includes(real)
      topic = {
        id: producer.topic(real, partitions, keepsFailures),
        name: real,
        partitions,
        produced: counters.produced(real),
      }
      this.#sinkTopics.set(real, topic)
    }
    return topic
  }
}
