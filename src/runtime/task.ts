import type { TierOptions } from '../cassandra/cassandra-tier.ts'
import type { TaskRows } from '../cassandra/row-write.ts'
import { countStart } from '../cassandra/task-starts.ts'
import { encodeOffsetMetadata, processorMetadataOf } from '../commit/offset-metadata.ts'
import type { TopicPartition, TopicPartitionOffset } from '../native.ts'
import { ProcessGraph } from '../process/process-graph.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { InputPosition } from '../query/position.ts'
import { isAsync, type SubtopologyDefinition } from '../topology/definition.ts'
import { prefetchPlan } from '../topology/prefetch-plan.ts'
import { CommitNeed } from './commit-need.ts'
import { PartitionGroup } from './partition-group.ts'
import type { TaskAssignment, TaskId, TaskState } from './protocol.ts'
import { RecordFailures } from './record-failures.ts'
import { AsyncRecords } from './records/async-records.ts'
import { HeadRecords } from './records/head-records.ts'
import { RunningAhead } from './records/running-ahead.ts'
import type { TaskRecords } from './records/task-records.ts'
import type { SlowRecord } from './slow-records.ts'
import { guarded } from './task-failure.ts'
import { type PrefetchedStore, TaskInput } from './task-input.ts'
import type { SourcePartition, TaskOptions } from './task-options.ts'
import { TaskPunctuations } from './task-punctuations.ts'
import { TaskReadAhead } from './task-read-ahead.ts'
import { TaskScans } from './task-scans.ts'
import type { TaskStateManager } from './task-state-manager.ts'
import { TaskWarnings } from './task-warnings.ts'

const EMIT_INTERVAL_MS = 1000

/**
 * A sub-topology on one partition: its life from start to close, and its records' way through its graph, one after the other. Which record is
 * next its PartitionGroup says; the rows that records will read are fetched by its TaskReadAhead. Kafka Streams' StreamTask. Used by one
 * stream thread.
 */
export class Task {
  readonly id: TaskId
  assignment: TaskAssignment
  readonly state: TaskStateManager | null
  /** For Cassandra; null: none. */
  readonly rows: TaskRows | null
  /** It has tiered stores that are connected. */
  readonly hasTiers: boolean
  taskState: TaskState = 'created'
  readonly #options: TaskOptions
  readonly #clock: TaskClock
  readonly #inputs: TaskInput[]
  readonly #partitions: PartitionGroup<TaskInput>
  readonly #readAhead: TaskReadAhead
  readonly #punctuations: TaskPunctuations
  readonly #records: TaskRecords
  readonly #graph: ProcessGraph
  readonly #processorMetadata: Map<string, number>
  readonly #need: CommitNeed
  readonly #failures: RecordFailures
  /** null: a task without stores. */
  readonly #scans: TaskScans | null

  constructor(options: TaskOptions) {
    const { definition, state, clock } = options
    this.id = options.assignment.id
    this.assignment = options.assignment
    this.state = state
    this.rows = options.rows ?? null
    this.#options = options
    this.#clock = clock
    const warnings = new TaskWarnings(this.id, clock, options.warn)
    const need = new CommitNeed(state !== null, clock.systemTimeMs)
    this.#need = need
    const scans = state === null ? null : new TaskScans(state, warnings)
    this.#scans = scans
    const tracer = options.tracer ?? null
    const failures = new RecordFailures({
      ...options,
      warnings,
      inputs: () => this.#inputs,
      changed: () => need.changed(),
    })
    this.#failures = failures
    const { output, counters } = options
    const punctuations = new TaskPunctuations({ taskId: this.id, clock, need, scans, failures, counters })
    this.#punctuations = punctuations
    const isAsyncTask = definition.nodes.some(isAsync)
    const ahead = isAsyncTask ? new RunningAhead(clock, failures.errors) : null
    this.#processorMetadata = processorMetadataOf(options.assignment.inputs.map(({ metadata }) => metadata))
    const { rows } = this
    const { tiers = null } = options
    this.hasTiers = tiers !== null
    if (this.writesToCassandra) {
      const starts = countStart(this.#processorMetadata, clock.systemTimeMs())
      if (tiers !== null)
        state?.connectTiers({ ...tiers, taskId: this.id, starts, onWritten: () => this.#written(tiers) })
    }
    this.#graph = new ProcessGraph(
      definition,
      {
        applicationId: options.applicationId,
        taskId: this.id,
        partition: options.assignment.partition,
        clock,
        streamTimePunctuations: punctuations.streamTime,
        wallClockPunctuations: punctuations.wallClock,
        processorMetadata: this.#processorMetadata,
        emitIntervalMs: options.emitIntervalMs ?? EMIT_INTERVAL_MS,
        isGlobal: options.isGlobal ?? false,
        errors: options.isGlobal === true ? null : failures.errors,
        tracer,
        runAhead: ahead,
        nodeCounters: (node, isLast) => counters.node(node, isLast),
        suppressionEmitted: (processor) => counters.suppressionEmitted(processor),
        recordDropped: (processor, reason) => {
          counters.recordDropped(reason)
          warnings.recordDropped(processor, reason)
        },
      },
      state?.stores ?? new Map(),
      options.sinkTopic,
      output,
      options.globalStores,
      rows,
    )
    this.#inputs = options.inputs.map((input) => this.#taskInput(input))
    const inputs = this.#inputs
    const partitions = new PartitionGroup(inputs, options.maxTaskIdleMs, clock.systemTimeMs, counters)
    this.#partitions = partitions
    const trim = (): void => this.#trim()
    const ways = { inputs, partitions, output, rows: this.hasTiers ? this.#room : rows }
    const slow = (record: SlowRecord): void => options.slowRecords?.found(this.id, record)
    const parts = { ...ways, clock, failures, punctuations, need, scans, tracer, counters, slow }
    this.#records =
      ahead === null
        ? new HeadRecords({ ...parts, trim })
        : new AsyncRecords({
            ...parts,
            trim,
            ahead,
            concurrency: concurrencyOf(definition),
            ...options.promises,
          })
    this.#readAhead = new TaskReadAhead(inputs, state?.database ?? null, options.onPrefetched)
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
    if (output.records > records || this.uncommittedBytes > 0) this.#need.changed()
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

  /** Gives buffered records back, and those in flight; positions, state and processors stay. */
  async suspend(): Promise<void> {
    await this.prefetchSettled()
    this.#records.drop()
    for (const input of this.#inputs) input.close()
    this.taskState = 'suspended'
  }

  /** Since the start. */
  get recordsProcessed(): number {
    return this.#records.processed
  }

  /** True when something was processed, punctuated or asked for since `commitDone`, and from time to time: see CommitNeed. */
  get needsCommit(): boolean {
    if (this.#need.isThere) return true
    // The markers of transactions, too: whoever looks at the group would else see records that are never processed.
    for (const { input } of this.#inputs) if (input.hasMoved) return true
    return false
  }

  /** When `commitDone` was called last, ms. */
  get committedMs(): number {
    return this.#need.committedMs
  }

  /** What a commit would write to the task's stores. */
  get uncommittedBytes(): number {
    return this.state?.uncommittedBytes ?? 0
  }

  /** A processor has asked for a commit, or rows wait for one. */
  get wantsCommit(): boolean {
    return this.#clock.commitRequested || this.rows?.wantsCommit === true
  }

  /** It is to be committed, whatever the others are: so much of it has changed. */
  get isLarge(): boolean {
    return this.state?.isLarge === true
  }

  /** A commit is better put off until Cassandra has more of what was committed before. */
  get waitsForRoom(): boolean {
    return this.state?.waitsForRoom === true
  }

  /** The offsets to commit for what was processed. */
  offsets(): TopicPartitionOffset[] {
    const changelogs = this.state?.changelogEnds()
    for (const [name, offset] of this.state?.watermarks() ?? []) this.#processorMetadata.set(name, offset)
    return this.#inputs.map(({ input }) => ({
      topic: input.topic,
      partition: input.partition,
      offset: input.position,
      metadata: encodeOffsetMetadata(input.positionTimeMs, this.#processorMetadata, changelogs),
    }))
  }

  /** Of each input up to where it was processed: the offset of the last record, -1 before the first. */
  *positions(): Iterable<InputPosition> {
    for (const { input } of this.#inputs)
      yield { topic: input.topic, partition: input.partition, offset: input.position - 1 }
  }

  commitDone(): void {
    this.#need.committed()
    for (const { input } of this.#inputs) input.commitDone()
    this.#clock.commitRequested = false
    if (this.state !== null) this.state.overlayBytes = 0
  }

  /** True when each input has been processed up to its end, given by `end`, or as far as there are records before it. */
  hasReached(end: (input: TopicPartition) => number): boolean {
    if (this.recordsInFlight > 0) return false
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

  /** Taken from the consumer, and waiting to be processed. */
  get recordsBuffered(): number {
    let records = 0
    for (const { input } of this.#inputs) records += input.recordsBuffered
    return records
  }

  /** The lag of each input partition, for metrics. */
  *lags(): Iterable<{ topic: string; partition: number; lag: number }> {
    for (const { input } of this.#inputs)
      yield { topic: input.topic, partition: input.partition, lag: input.lag }
  }

  /**
   * When the wall clock alone brings something to do, ms: a punctuator, the end of the wait for an empty input, another attempt at a record, a promise that has
   * taken too long; Infinity for never.
   */
  get nextWallClockMs(): number {
    const { retryMs, deadlineMs } = this.#records
    const isDue = retryMs <= this.#clock.systemTimeMs()
    // What is due and was not taken waits for another input.
    return Math.min(
      this.#punctuations.wallClock.nextMs,
      this.#partitions.waitsUntilMs,
      isDue ? Number.POSITIVE_INFINITY : retryMs,
      deadlineMs,
    )
  }

  /** When a record is tried again that has failed with what may pass, ms; Infinity when there is none. */
  get retryMs(): number {
    return this.#records.retryMs
  }

  /** Polls what there is, and starts fetching its keys. @returns true when records arrived */
  readAhead(): boolean {
    return this.#readAhead.poll()
  }

  /** Resolves when no fetch of keys is under way. */
  prefetchSettled(): Promise<void> {
    return this.#readAhead.settled()
  }

  /** What the task puts out is to be taken away before it goes on. */
  get isFull(): boolean {
    return this.#options.output.isFull || this.#room.isFull
  }

  /** Cassandra gets rows of it, of sinks or of tiered stores. */
  get writesToCassandra(): boolean {
    return this.rows !== null || this.hasTiers
  }

  /** Whether there is room for what goes to Cassandra. */
  readonly #room: Pick<TaskRows, 'isFull'> = (() => {
    const isFull = (): boolean => this.rows?.isFull === true || this.state?.isFull === true
    return {
      get isFull() {
        return isFull()
      },
    }
  })()

  /** What Cassandra has by now is to be committed. */
  #written({ onWritten }: TierOptions): void {
    this.#need.changed()
    onWritten()
  }

  /**
   * Processes records until a batch is used up, `recordsMax` are done, or the output is full. @returns how many
   * @throws WeirError deserialization-failed or processing-failed; the position is then that of the record that failed
   */
  process(recordsMax: number): number {
    return this.#records.process(recordsMax)
  }

  /** As `process`, of records alone that are in flight: a task that is about to be suspended takes no more. */
  completeRecords(recordsMax: number): number {
    return this.#records.complete(recordsMax)
  }

  /** Records that wait for promises, or for those before them that do; 0 without async processors. */
  get recordsInFlight(): number {
    return this.#records.inFlight
  }

  /** True when some are in flight, and the next of them waits for nothing but its promises. */
  get isRecordUnderWay(): boolean {
    return this.#records.isUnderWay
  }

  /** When a promise has taken too long, ms; Infinity when none is under way. */
  get promiseDeadlineMs(): number {
    return this.#records.deadlineMs
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
    this.#scans?.close()
    return done
  }

  /** Runs the stream-time punctuators that are due. */
  punctuateStreamTime(): void {
    this.#punctuations.punctuateStreamTime()
  }

  /** Runs the wall-clock punctuators that are due. */
  punctuateWallClock(nowMs: number): void {
    this.#punctuations.punctuateWallClock(nowMs)
  }

  /** Stops the processors, and drops what was not committed. */
  async close(): Promise<void> {
    if (this.taskState === 'closed') return
    const started = this.taskState === 'running' || this.taskState === 'suspended'
    this.taskState = 'closed'
    this.#records.drop()
    await this.prefetchSettled()
    for (const input of this.#inputs) input.close()
    this.rows?.close()
    this.#punctuations.clear()
    try {
      if (started) this.#guard(() => this.#graph.close())
    } finally {
      await this.state?.close()
    }
  }

  #guard(run: () => void): void {
    guarded(this.id, this.#clock, run)
  }
}

/** Of the async processor with the most promises at once. */
function concurrencyOf({ nodes }: SubtopologyDefinition): number {
  return Math.max(...nodes.filter(isAsync).map(({ concurrency }) => concurrency))
}
