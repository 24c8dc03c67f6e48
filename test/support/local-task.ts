import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { commitAtLeastOnce } from '../../src/commit/commit.ts'
import type { Config } from '../../src/config/config.ts'
import { type ConfigInput, configFrom } from '../../src/config/load.ts'
import type { PartitionReader } from '../../src/consume/partition-input.ts'
import { BatchPool } from '../../src/consume/record-batch.ts'
import {
  CONSUME_COLUMNS,
  LocalProducer,
  type Restorer,
  StateMemory,
  type TopicPartitionOffset,
} from '../../src/native.ts'
import { ThreadCounters } from '../../src/observe/thread-counters.ts'
import { OutputBatch } from '../../src/produce/output-batch.ts'
import { deadLetterTopics } from '../../src/runtime/error-policy.ts'
import type { SlowRecords } from '../../src/runtime/slow-records.ts'
import type { Task } from '../../src/runtime/task.ts'
import { TaskFactory, type TaskFactoryOptions } from '../../src/runtime/task-factory.ts'
import { externalTopics } from '../../src/runtime/topic-plan.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { producedRecords } from '../../src/testing/produced-records.ts'
import type { TopologyDefinition } from '../../src/topology/definition.ts'
import { changelogTopic } from '../../src/topology/topic-names.ts'
import type { TopologyModule } from '../../src/topology/topology-module.ts'
import { smallStateMemory } from './state-memory.ts'

const NO_RESTORER: Restorer = {
  restore: () => ({ done: Promise.resolve(), progress: () => [], stop: () => {} }),
  close: () => {},
}

export interface InputRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
}

export interface OutputRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** Partition 0 of topics in memory, read in batches whose sizes the test chooses. */
class MemoryPartitions implements PartitionReader {
  readonly topics: readonly string[]
  readonly records: readonly InputRecord[][]
  readonly #positions: number[]
  readonly #batchOf: () => number

  constructor(topics: readonly string[], batchOf: () => number) {
    this.topics = topics
    this.records = topics.map(() => [])
    this.#positions = topics.map(() => 0)
    this.#batchOf = batchOf
  }

  open(topic: string, _partition: number, offset: number): number {
    const slot = this.topics.indexOf(topic)
    this.#positions[slot] = offset
    return slot
  }

  poll(slot: number, arena: Buffer, columns: ArrayBuffer, capacity: number): number {
    const from = this.#positions[slot]!
    const records = this.records[slot]!.slice(from, from + Math.min(capacity, this.#batchOf()))
    const float64 = new Float64Array(columns, 0, CONSUME_COLUMNS.float64.length * capacity)
    const int32 = new Int32Array(columns, float64.byteLength, CONSUME_COLUMNS.int32.length * capacity)
    let start = 0
    for (const [index, { key, value, timestamp }] of records.entries()) {
      float64[index] = from + index
      float64[capacity + index] = timestamp
      for (const [column, part] of [key, value, null].entries()) {
        int32[2 * column * capacity + index] = start
        int32[(2 * column + 1) * capacity + index] = part?.length ?? -1
        start += part?.copy(arena, start) ?? 0
      }
    }
    this.#positions[slot] = from + records.length
    return records.length
  }

  closeSlot(): void {}

  position(slot: number): number {
    return this.#positions[slot]!
  }

  watermarks(slot: number): [number, number] {
    return [0, this.records[slot]!.length]
  }
}

export interface LocalTaskOptions extends ConfigInput {
  /** How many records the next batch may have. Default: as many as there are. */
  readonly batchOf?: () => number
  /** Default: nobody looks for slow records. */
  readonly slowRecords?: SlowRecords
}

/**
 * A task of a topology with one sub-topology, made as a stream thread makes it, over topics in this process. Its turns, commits and ends are the
 * test's. What it has put out since the last commit goes with it when it crashes, as that of an aborted transaction does. Stores must not have
 * changelogs: nothing restores them.
 */
export class LocalTask implements AsyncDisposable {
  /** The wall clock, ms. */
  nowMs = 1_000_000
  readonly counters = new ThreadCounters()
  readonly warnings: string[] = []
  /** What was put out by commits. */
  readonly outputs: OutputRecord[] = []
  /** Since the last commit. */
  readonly uncommitted: OutputRecord[] = []
  task!: Task
  readonly #definition: TopologyDefinition
  readonly #config: Config
  readonly #slowRecords: SlowRecords | null
  readonly #partitions: MemoryPartitions
  readonly #producer = new LocalProducer()
  readonly #output: OutputBatch
  readonly #topicNames: string[] = []
  readonly #topicsWritten: readonly string[]
  readonly #resources: AsyncDisposableStack
  readonly #memory: StateMemory
  /** Committed. */
  #offsets: readonly TopicPartitionOffset[]
  /** Runs when a promise has settled. */
  onProgress: () => void = () => {}

  private constructor(definition: TopologyDefinition, options: LocalTaskOptions, folder: string) {
    const { batchOf = () => Number.POSITIVE_INFINITY, slowRecords = null, ...settings } = options
    this.#definition = definition
    this.#slowRecords = slowRecords
    this.#config = configFrom({
      applicationId: 'test',
      bootstrapServers: 'none:1',
      stateDir: folder,
      stateProfile: 'small',
      ...settings,
    })
    const [{ sourceTopics, stores }] = definition.subtopologies as [TopologyDefinition['subtopologies'][0]]
    this.#partitions = new MemoryPartitions(sourceTopics, batchOf)
    this.#offsets = sourceTopics.map((topic) => ({ topic, partition: 0, offset: 0 }))
    this.#output = new OutputBatch(this.#producer, 8192, 1 << 20)
    this.#topicsWritten = [
      ...externalTopics(definition).sinks,
      ...deadLetterTopics(this.#config, definition.errorHandlers),
      ...stores.filter(({ logging }) => logging).map(({ name }) => changelogTopic('test', name)),
    ]
    for (const name of this.#topicsWritten) this.#topicNames[this.#producer.topic(name, 1)] = name
    this.#memory = StateMemory.acquire(smallStateMemory)
    this.#resources = new AsyncDisposableStack()
    this.#resources.defer(() => rm(folder, { recursive: true, force: true }))
    this.#resources.defer(() => this.#memory.close())
    this.#resources.defer(() => this.#producer.close())
  }

  static async open(topology: TopologyModule, options: LocalTaskOptions = {}): Promise<LocalTask> {
    const local = new LocalTask(topology.build(), options, await mkdtemp(join(tmpdir(), 'weir-local-task-')))
    await local.#open()
    return local
  }

  append(topic: string, ...records: readonly InputRecord[]): void {
    this.#partitions.records[this.#partitions.topics.indexOf(topic)]!.push(...records)
  }

  /** As a stream thread's turn. @returns how many records were done with */
  async turn(recordsMax = 4096): Promise<number> {
    const { task } = this
    task.readAhead()
    await task.prefetchSettled()
    const processed = task.process(recordsMax)
    task.punctuateWallClock(this.nowMs)
    this.#send()
    return processed
  }

  /** Turns until nothing is left to do, waiting for promises and moving the clock to where records are tried again. */
  async run(): Promise<void> {
    const { task } = this
    while (!this.isDone) {
      if ((await this.turn()) > 0) continue
      if (task.retryMs !== Number.POSITIVE_INFINITY) this.nowMs = Math.max(this.nowMs, task.retryMs)
      else if (task.recordsInFlight > 0) await this.progress()
      else throw new Error(`the task stands still at ${JSON.stringify(task.offsets())}`)
    }
  }

  /** True when everything that was appended is done with. */
  get isDone(): boolean {
    const { topics, records } = this.#partitions
    return this.task.offsets().every(({ topic, offset }) => offset === records[topics.indexOf(topic)]!.length)
  }

  /** Resolves when the next promise settles. */
  progress(): Promise<void> {
    return new Promise((resolve) => {
      this.onProgress = resolve
    })
  }

  async commit(): Promise<void> {
    await commitAtLeastOnce([this.task], {
      producer: this.#producer,
      output: this.#output,
      flushTimeoutMs: 0,
      commitOffsets: async (_tasks, offsets) => {
        this.#offsets = offsets
      },
    })
    this.#send()
    this.outputs.push(...this.uncommitted.splice(0))
  }

  /** Where the last commit stands, by topic. */
  get committed(): Record<string, number> {
    return Object.fromEntries(this.#offsets.map(({ topic, offset }) => [topic, offset]))
  }

  /** The task goes with all that it had not committed, and another begins where it had. */
  async crash(): Promise<void> {
    const { task } = this
    await task.prefetchSettled()
    task.state?.discard()
    await task.close()
    this.#output.discard()
    this.#send()
    this.uncommitted.splice(0)
    await this.#open()
  }

  async #open(): Promise<void> {
    const options: TaskFactoryOptions = {
      config: this.#config,
      topology: this.#definition,
      topics: Object.fromEntries(this.#topicsWritten.map((name) => [name, { partitions: 1, id: '' }])),
      consumer: this.#partitions,
      producer: this.#producer,
      output: this.#output,
      pool: new BatchPool({ capacity: 64, arenaBytes: 1 << 16, readAheadMax: 4 }),
      memory: this.#memory,
      restorer: NO_RESTORER,
      budget: new CacheBudget(1 << 20),
      overlayWriter: new OverlayWriter(),
      counters: this.counters,
      onPrefetched: (error) => {
        if (error !== null) throw error
      },
      onProgress: () => this.onProgress(),
      slowRecords: this.#slowRecords,
      emitIntervalMs: 0,
      warn: (message) => this.warnings.push(message),
      restoreEvent: () => {},
      systemTimeMs: () => this.nowMs,
    }
    const inputs = this.#offsets
    this.task = await new TaskFactory(options).open({
      id: '0_0',
      subtopology: 0,
      partition: 0,
      epoch: 0,
      inputs,
    })
    this.task.start()
  }

  #send(): void {
    this.#output.send()
    const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null
    for (const { topic, record } of producedRecords(this.#producer.take())) {
      const { key, value, timestamp } = record
      this.uncommitted.push({
        topic: this.#topicNames[topic]!,
        key: text(key),
        value: text(value),
        timestamp,
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.task.close()
    await this.#resources.disposeAsync()
  }
}
