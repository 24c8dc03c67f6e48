import type { TaskRows } from '../cassandra/row-write.ts'
import { encodeOffsetMetadata, processorMetadataOf } from '../commit/offset-metadata.ts'
import type { PartitionInput } from '../consume/partition-input.ts'
import type { RecordBatch } from '../consume/record-batch.ts'
import type { SourceRecord } from '../consume/source-record.ts'
import type { TopicPartition, TopicPartitionOffset } from '../native.ts'
import type { Node, SinkTopic } from '../process/node.ts'
import { ProcessGraph } from '../process/process-graph.ts'
import type { Punctuator } from '../process/processor.ts'
import { PunctuationQueue } from '../process/punctuation.ts'
import type { RecordTracer } from '../process/record-tracer.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import type { Store } from '../state/store.ts'
import type { SubtopologyDefinition } from '../topology/definition.ts'
import { prefetchPlan } from '../topology/prefetch-plan.ts'
import { CommitNeed } from './commit-need.ts'
import type { ErrorPolicy } from './error-policy.ts'
import type { ErrorKind } from './error-responses.ts'
import { KeyPrefetcher } from './key-prefetcher.ts'
import { PartitionGroup } from './partition-group.ts'
import type { TaskAssignment, TaskId, TaskState } from './protocol.ts'
import { RecordFailures } from './record-failures.ts'
import { processingFailed } from './task-failure.ts'
import { type PrefetchedStore, TaskInput } from './task-input.ts'
import type { TaskStateManager } from './task-state-manager.ts'
import { TaskWarnings } from './task-warnings.ts'

const EMIT_INTERVAL_MS = 1000

/** An input partition, and by which name the definition knows its topic. */
export interface SourcePartition {
  readonly definitionTopic: string
  readonly input: PartitionInput
}

/** What a task needs of its thread. */
export interface TaskOptions {
  readonly applicationId: string
  readonly assignment: TaskAssignment
  readonly definition: SubtopologyDefinition
  readonly inputs: readonly SourcePartition[]
  readonly output: OutputBatch
  /** Where rows for Cassandra go. Default: there are none. */
  readonly rows?: TaskRows | null
  readonly sinkTopic: (name: string) => SinkTopic
  readonly clock: TaskClock
  /** null: a task without stores. */
  readonly state: TaskStateManager | null
  /** What every processor can read. Default: none. */
  readonly globalStores?: ReadonlyMap<string, Store>
  /** The task fills the global stores. Default: false. */
  readonly isGlobal?: boolean
  readonly maxTaskIdleMs: number
  /** What becomes of records that cannot be read, processed or written. Default: they end the thread. */
  readonly errors?: {
    readonly policy: ErrorPolicy
    /** Larger outputs the producer refuses, in bytes of key, value and headers. */
    readonly recordBytesMax: number
  }
  /** Tells of each record's way. Default: none. */
  readonly tracer?: RecordTracer | null
  /** How long a record is tried again that fails with a RetriableError, ms. */
  readonly taskTimeoutMs: number
  /** Windows that have closed are looked for no more often, ms. Default: 1000, as in Kafka Streams. */
  readonly emitIntervalMs?: number
  readonly counters: {
    recordsDropped: number
    deadLetters: number
    retries: number
    punctuations: number
    errorHandled(kind: ErrorKind): void
    suppressionEmitted(node: string): void
  }
  /** Runs when keys that were fetched ahead have arrived, or could not be fetched. */
  readonly onPrefetched: (error: unknown) => void
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/**
 * A sub-topology on one partition: its life from start to close, and its records' way through its graph, one after the other. Which record is
 * next its PartitionGroup says; the rows that records will read are fetched by its KeyPrefetcher. Kafka Streams' StreamTask. Used by one
 * stream thread.
 */
export class Task {
  readonly id: TaskId
  assignment: TaskAssignment
  readonly state: TaskStateManager | null
  /** For Cassandra; null: none. */
  readonly rows: TaskRows | null
  taskState: TaskState = 'created'
  recordsProcessed = 0
  readonly #options: TaskOptions
  readonly #clock: TaskClock
  readonly #inputs: TaskInput[]
  readonly #partitions: PartitionGroup<TaskInput>
  readonly #prefetcher: KeyPrefetcher | null
  readonly #streamTime = new PunctuationQueue('stream-time')
  readonly #wallClock = new PunctuationQueue('wall-clock-time')
  readonly #graph: ProcessGraph
  readonly #processorMetadata: Map<string, number>
  readonly #need: CommitNeed
  readonly #warnings: TaskWarnings
  readonly #failures: RecordFailures
  readonly #tracer: RecordTracer | null

  constructor(options: TaskOptions) {
    const { definition, state, clock } = options
    this.id = options.assignment.id
    this.assignment = options.assignment
    this.state = state
    this.rows = options.rows ?? null
    this.#options = options
    this.#clock = clock
    this.#warnings = new TaskWarnings(this.id, clock, options.warn)
    this.#need = new CommitNeed(state !== null, clock.systemTimeMs)
    this.#tracer = options.tracer ?? null
    this.#failures = new RecordFailures({
      ...options,
      warnings: this.#warnings,
      inputs: () => this.#inputs,
      changed: () => this.#need.changed(),
    })
    this.#processorMetadata = processorMetadataOf(options.assignment.inputs.map(({ metadata }) => metadata))
    this.#graph = new ProcessGraph(
      definition,
      {
        applicationId: options.applicationId,
        taskId: this.id,
        partition: options.assignment.partition,
        clock,
        streamTimePunctuations: this.#streamTime,
        wallClockPunctuations: this.#wallClock,
        processorMetadata: this.#processorMetadata,
        emitIntervalMs: options.emitIntervalMs ?? EMIT_INTERVAL_MS,
        isGlobal: options.isGlobal ?? false,
        errors: options.isGlobal === true ? null : this.#failures.errors,
        tracer: this.#tracer,
        suppressionEmitted: (processor) => options.counters.suppressionEmitted(processor),
        recordDropped: (processor, reason) => {
          options.counters.recordsDropped++
          this.#warnings.recordDropped(processor, reason)
        },
      },
      state?.stores ?? new Map(),
      options.sinkTopic,
      options.output,
      options.globalStores,
      this.rows,
    )
    this.#inputs = options.inputs.map((input) => this.#taskInput(input))
    this.#partitions = new PartitionGroup(this.#inputs, options.maxTaskIdleMs, clock.systemTimeMs)
    this.#prefetcher = state === null ? null : new KeyPrefetcher(state.database, options.onPrefetched)
    for (const { input } of this.#inputs)
      clock.streamTimeMs = Math.max(clock.streamTimeMs, input.partitionTimeMs)
  }

  #taskInput({ input, definitionTopic }: SourcePartition): TaskInput {
    const { definition, state, clock } = this.#options
    const source = this.#graph.source(definitionTopic)
    const read = state === null ? [] : prefetchPlan(definition, source.definition)
    const stores = read.map((store) => ({
      store: state!.stores.get(store.name) as PrefetchedStore['store'],
      index: definition.stores.indexOf(store),
    }))
    return new TaskInput(input, source, stores, clock, this.#failures.errors)
  }

  /** Another input, from now on. REQUIRES that the task runs. */
  addInput(partition: SourcePartition): void {
    const input = this.#taskInput(partition)
    this.#inputs.push(input)
    partition.input.open()
  }

  /** Starts the processors. REQUIRES restored state. */
  start(): void {
    const { output } = this.#options
    const { records } = output
    this.#guard(() => this.#graph.init())
    if (output.records > records || (this.state?.uncommittedBytes ?? 0) > 0) this.#need.changed()
    this.resume()
  }

  /** The task stayed here over a rebalance: from now on it commits under the new epoch. Positions are its own, never the group's. */
  reassign(assignment: TaskAssignment): void {
    this.assignment = assignment
  }

  /** Reads on from each input's position. */
  resume(): void {
    for (const { input } of this.#inputs) input.open()
    this.taskState = 'running'
  }

  /** Gives buffered records back; positions, state and processors stay. */
  async suspend(): Promise<void> {
    await this.prefetchSettled()
    for (const input of this.#inputs) input.close()
    this.taskState = 'suspended'
  }

  /** True when something was processed, punctuated or asked for since `commitDone`, and from time to time: see CommitNeed. */
  get needsCommit(): boolean {
    if (this.#need.isThere) return true
    // The markers of transactions, too: whoever looks at the group would else see records that are never processed.
    for (const { input } of this.#inputs) if (input.hasMoved) return true
    return false
  }

  get commitRequested(): boolean {
    return this.#clock.commitRequested
  }

  /** The offsets to commit for what was processed. */
  offsets(): TopicPartitionOffset[] {
    return this.#inputs.map(({ input }) => ({
      topic: input.topic,
      partition: input.partition,
      offset: input.position,
      metadata: encodeOffsetMetadata(input.partitionTimeMs, this.#processorMetadata),
    }))
  }

  commitDone(): void {
    this.#need.committed()
    for (const { input } of this.#inputs) input.commitDone()
    this.#clock.commitRequested = false
    if (this.state !== null) this.state.overlayBytes = 0
  }

  /** True when each input has been processed up to its end, given by `end`, or as far as there are records before it. */
  hasReached(end: (input: TopicPartition) => number): boolean {
    return this.#inputs.every(
      ({ input, retryMs }) =>
        input.position >= end(input) || (retryMs === Number.POSITIVE_INFINITY && !input.isBehind),
    )
  }

  get lag(): number {
    let lag = 0
    for (const { input } of this.#inputs) lag += input.lag
    return lag
  }

  /** The lag of each input partition, for metrics. */
  *lags(): Iterable<{ topic: string; partition: number; lag: number }> {
    for (const { input } of this.#inputs)
      yield { topic: input.topic, partition: input.partition, lag: input.lag }
  }

  /**
   * When the wall clock alone brings something to do, ms: a punctuator, the end of the wait for an empty input, another attempt at a record;
   * Infinity for never.
   */
  get nextWallClockMs(): number {
    const { retryMs } = this
    const isDue = retryMs <= this.#clock.systemTimeMs()
    // What is due and was not taken waits for another input.
    return Math.min(
      this.#wallClock.nextMs,
      this.#partitions.waitsUntilMs,
      isDue ? Number.POSITIVE_INFINITY : retryMs,
    )
  }

  /** When a record is tried again that has failed with what may pass, ms; Infinity when there is none. */
  get retryMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { retryMs } of this.#inputs) first = Math.min(first, retryMs)
    return first
  }

  /** Polls what there is, and starts fetching its keys. @returns true when records arrived */
  readAhead(): boolean {
    let arrived = false
    for (const one of this.#inputs) {
      const batch = one.input.readAhead()
      if (batch === null) continue
      arrived = true
      const awaited = one.awaits(batch)
      if (awaited === null) this.#prefetch(one, batch)
      else void this.#prefetchAfter(awaited, one, batch)
    }
    return arrived
  }

  #prefetch(one: TaskInput, batch: RecordBatch): void {
    if (this.#prefetcher === null || one.stores.length === 0) one.input.nextReady = true
    else this.#prefetcher.fetch(one, batch)
  }

  /** A batch that cannot be read yet waits, and others go on. It may be dropped meanwhile. */
  async #prefetchAfter(awaited: Promise<unknown>, one: TaskInput, batch: RecordBatch): Promise<void> {
    const { generation } = batch
    await awaited
    if (one.input.next !== batch || batch.generation !== generation) return
    try {
      this.#prefetch(one, batch)
      this.#options.onPrefetched(null)
    } catch (error) {
      this.#options.onPrefetched(error)
    }
  }

  /** Resolves when no fetch of keys is under way. */
  prefetchSettled(): Promise<void> {
    return this.#prefetcher?.settled() ?? Promise.resolve()
  }

  /** What the task puts out is to be taken away before it goes on. */
  get isFull(): boolean {
    return this.#options.output.isFull || this.rows?.isFull === true
  }

  /**
   * Processes records until a batch is used up, `recordsMax` are done, or the output is full. @returns how many
   * @throws WeirError deserialization-failed or processing-failed; the position is then that of the record that failed
   */
  process(recordsMax: number): number {
    let processed = 0
    for (const { input } of this.#inputs) input.advance()
    if (this.#inputs.length === 1) {
      const only = this.#inputs[0]!
      while (processed < recordsMax && only.hasRecord && !this.isFull) {
        if (only.readHead()) this.#processHead(only)
        else this.#pass(only)
        processed++
      }
    } else {
      while (processed < recordsMax && !this.isFull) {
        const unreadable = this.#failures.unreadable()
        if (unreadable !== null) {
          this.#pass(unreadable)
          processed++
          unreadable.input.advance()
          continue
        }
        const chosen = this.#partitions.choose()
        if (chosen === null) break
        this.#processHead(chosen)
        processed++
        if (!chosen.input.hasRecord) chosen.input.advance()
      }
    }
    return processed
  }

  #processHead(one: TaskInput): void {
    const { input, source, stores } = one
    const batch = input.current!
    const index = input.cursor
    const clock = this.#clock
    const { children } = source
    const timestamp = one.headTimestamp
    const outputs = this.#options.output.records
    this.#failures.atWork = one
    one.enter()
    try {
      const record = one.record(timestamp)
      if (timestamp < 0) {
        this.#options.counters.recordsDropped++
      } else {
        if (timestamp > input.partitionTimeMs) input.partitionTimeMs = timestamp
        if (timestamp > clock.streamTimeMs) clock.streamTimeMs = timestamp
        clock.timestamp = timestamp
        for (let store = 0; store < stores.length; store++) {
          const entry = batch.prefetches[store]?.entries[index]
          if (entry !== undefined) stores[store]!.store.cache.expect(entry)
        }
        if (this.#tracer === null)
          for (let child = 0; child < children.length; child++) children[child]!.process(record)
        else this.#trace(this.#tracer, record, children)
      }
    } catch (error) {
      if (this.#failures.isRetried(one, outputs, error)) {
        this.#closeScans()
        return
      }
    }
    if (this.state !== null) this.#closeScans()
    this.#pass(one)
    if (clock.streamTimeMs >= this.#streamTime.nextMs) this.punctuateStreamTime()
  }

  #trace(tracer: RecordTracer, record: SourceRecord, children: readonly Node[]): void {
    const { topic, partition, offset } = this.#clock
    tracer.trace(topic, partition, offset, record.headers, () => {
      for (const child of children) child.process(record)
    })
  }

  /** The head record is done with. */
  #pass(one: TaskInput): void {
    this.#failures.atWork = null
    this.#need.changed()
    this.recordsProcessed++
    if (one.pass()) this.#trim()
  }

  /** Between batches: what caching stores have kept back goes when it is too much, and the caches come back under their budget. */
  #trim(): void {
    if (this.state === null) return
    if (this.state.wantsFlush) this.flushChanges()
    this.state.trim()
  }

  /**
   * Forwards what caching stores have kept back, until the output is full. @returns true when nothing is left
   * @throws WeirError processing-failed; what could not be forwarded stays
   */
  flushChanges(): boolean {
    const { state } = this
    if (state === null) return true
    let done = true
    this.#guard(() => {
      done = state.flushChanges(() => this.isFull)
    })
    this.#closeScans()
    return done
  }

  /** Runs the stream-time punctuators that are due. */
  punctuateStreamTime(): void {
    this.#options.counters.punctuations += this.#streamTime.run(this.#clock.streamTimeMs, this.#punctuate)
  }

  /** Runs the wall-clock punctuators that are due. */
  punctuateWallClock(nowMs: number): void {
    if (nowMs >= this.#wallClock.nextMs)
      this.#options.counters.punctuations += this.#wallClock.run(nowMs, this.#punctuate)
  }

  readonly #punctuate = (node: string, punctuator: Punctuator, timestamp: number): void => {
    const clock = this.#clock
    this.#need.changed()
    clock.inPunctuator = true
    clock.node = node
    clock.timestamp = timestamp
    try {
      this.#guard(() => {
        try {
          punctuator(timestamp)
        } catch (error) {
          this.#failures.punctuatorFailed(node, timestamp, error)
        }
      })
    } finally {
      clock.inPunctuator = false
    }
    this.#closeScans()
  }

  #closeScans(): void {
    const open = this.state?.closeScans() ?? 0
    if (open > 0) this.#warnings.iteratorsLeftOpen(open)
  }

  /** Stops the processors, and drops what was not committed. */
  async close(): Promise<void> {
    if (this.taskState === 'closed') return
    const started = this.taskState === 'running' || this.taskState === 'suspended'
    this.taskState = 'closed'
    await this.prefetchSettled()
    for (const input of this.#inputs) input.close()
    this.rows?.close()
    this.#streamTime.clear()
    this.#wallClock.clear()
    try {
      if (started) this.#guard(() => this.#graph.close())
    } finally {
      await this.state?.close()
    }
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      throw processingFailed(`task ${this.id}, processor ${this.#clock.node}`, error)
    }
  }
}
