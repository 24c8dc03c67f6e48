import { encodeOffsetMetadata } from '../commit/offset-metadata.ts'
import { DeserializationError } from '../consume/deserialization.ts'
import type { PartitionInput } from '../consume/partition-input.ts'
import { decodeKey, SourceRecord } from '../consume/source-record.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../native.ts'
import type { SinkTopic } from '../process/node.ts'
import { ProcessGraph, type SourceNode } from '../process/process-graph.ts'
import type { Punctuator } from '../process/processor.ts'
import { PunctuationQueue } from '../process/punctuation.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import { Prefetch, type PrefetchingStore } from '../state/prefetch.ts'
import type { StateStore } from '../state/state-store.ts'
import type { SubtopologyDefinition } from '../topology/definition.ts'
import { prefetchPlan } from '../topology/prefetch-plan.ts'
import type { TaskAssignment, TaskId, TaskState } from './protocol.ts'
import type { TaskStateManager } from './task-state-manager.ts'

/** What a task needs of its thread. */
export interface TaskOptions {
  readonly applicationId: string
  readonly assignment: TaskAssignment
  readonly definition: SubtopologyDefinition
  readonly inputs: readonly TaskInput[]
  readonly output: OutputBatch
  readonly sinkTopic: (name: string) => SinkTopic
  readonly clock: TaskClock
  /** null: a task without stores. */
  readonly state: TaskStateManager | null
  readonly maxTaskIdleMs: number
  readonly counters: { recordsDropped: number; punctuations: number }
  /** Runs when keys that were fetched ahead have arrived, or could not be fetched. */
  readonly onPrefetched: (error: unknown) => void
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/** An input partition, and by which name the definition knows its topic. */
export interface TaskInput {
  readonly definitionTopic: string
  readonly input: PartitionInput
}

interface Input {
  readonly input: PartitionInput
  /** The record whose timestamp was extracted last, by offset; used with a timestamp extractor only. */
  extractedOffset: number
  extractedTimestamp: number
  readonly source: SourceNode
  /** The stores read by its records' own keys. */
  readonly stores: readonly {
    readonly store: StateStore & PrefetchingStore
    readonly index: number
    /** Of the input's batches, in their order. */
    readonly pins: number[]
  }[]
}

/**
 * A sub-topology on one partition. Chooses the next record by timestamp among its partitions, runs it through the graph, and keeps the
 * position of each input. Kafka Streams' StreamTask. Used by one stream thread.
 */
export class Task {
  readonly id: TaskId
  assignment: TaskAssignment
  readonly state: TaskStateManager | null
  taskState: TaskState = 'created'
  recordsProcessed = 0
  readonly #options: TaskOptions
  readonly #clock: TaskClock
  readonly #inputs: readonly Input[]
  readonly #streamTime = new PunctuationQueue('stream-time')
  readonly #wallClock = new PunctuationQueue('wall-clock-time')
  readonly #graph: ProcessGraph
  /** Since when some inputs have records and others may still get them, ms; -1 when not idling. */
  #idleSinceMs = -1
  #changed = false
  /** Processors that have dropped a record: each is warned of once. */
  readonly #droppedBy = new Set<string>()
  #prefetching = 0
  readonly #onSettled: (() => void)[] = []

  constructor(options: TaskOptions) {
    const { definition, state, clock } = options
    this.id = options.assignment.id
    this.assignment = options.assignment
    this.state = state
    this.#options = options
    this.#clock = clock
    this.#graph = new ProcessGraph(
      definition,
      {
        applicationId: options.applicationId,
        taskId: this.id,
        partition: options.assignment.partition,
        clock,
        streamTimePunctuations: this.#streamTime,
        wallClockPunctuations: this.#wallClock,
        recordDropped: (processor, reason) => this.#recordDropped(processor, reason),
      },
      state?.stores ?? new Map(),
      options.sinkTopic,
      options.output,
    )
    this.#inputs = options.inputs.map(({ input, definitionTopic }) => {
      const source = this.#graph.sources.get(definitionTopic)!
      const stores = state === null ? [] : prefetchPlan(definition, source.definition)
      return {
        input,
        source,
        extractedOffset: -1,
        extractedTimestamp: 0,
        stores: stores.map((store) => ({
          store: state!.stores.get(store.name) as StateStore & PrefetchingStore,
          index: definition.stores.indexOf(store),
          pins: [],
        })),
      }
    })
    for (const { input } of this.#inputs)
      clock.streamTimeMs = Math.max(clock.streamTimeMs, input.partitionTimeMs)
  }

  /** Starts the processors. REQUIRES restored state. */
  start(): void {
    this.#guard(() => this.#graph.init())
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
    this.#closeInputs()
    this.taskState = 'suspended'
  }

  #closeInputs(): void {
    for (const { input, stores } of this.#inputs) {
      for (let batches = input.close(); batches > 0; batches--) unpinBatch(stores)
    }
  }

  /** True when something was processed, punctuated or asked for since `commitDone`. */
  get needsCommit(): boolean {
    return this.#changed
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
      metadata: encodeOffsetMetadata(input.partitionTimeMs),
    }))
  }

  commitDone(): void {
    this.#changed = false
    this.#clock.commitRequested = false
    if (this.state !== null) this.state.overlayBytes = 0
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

  /** When the next wall-clock punctuator is due, ms; Infinity for none. */
  get nextWallClockMs(): number {
    return this.#wallClock.nextMs
  }

  /** Polls what there is, and starts fetching its keys. @returns true when records arrived */
  readAhead(): boolean {
    let arrived = false
    for (const one of this.#inputs) {
      const batch = one.input.readAhead()
      if (batch === null) continue
      arrived = true
      const { definition } = one.source
      for (const { store, pins } of one.stores) pins.push(store.cache.pin())
      try {
        if (one.stores.length > 0) {
          for (let index = 0; index < batch.count; index++)
            batch.keys[index] = decodeKey(batch, index, definition.key)
        }
      } catch {
        // The bad key is met again, with its offset, when its turn comes; what follows it will not be processed.
        batch.prefetches.length = 0
        one.input.nextReady = true
        continue
      }
      let waiting = 0
      one.stores.forEach(({ store, index }, position) => {
        batch.prefetches[position] ??= new Prefetch(batch.capacity)
        const prefetch = batch.prefetches[position]
        prefetch.collect(batch, store)
        if (prefetch.count === 0) return
        waiting++
        this.#prefetching++
        prefetch.start(this.state!.database, index, batch).then(
          (rows) => {
            // The task may have dropped the batch meanwhile.
            if (one.input.next === batch) prefetch.land(batch, store, rows)
            if (--waiting === 0) one.input.nextReady = true
            this.#settled(null)
          },
          (error: unknown) => this.#settled(error),
        )
      })
      if (waiting === 0) one.input.nextReady = true
    }
    return arrived
  }

  /** Resolves when no fetch of keys is under way. */
  prefetchSettled(): Promise<void> {
    if (this.#prefetching === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onSettled.push(resolve))
  }

  #settled(error: unknown): void {
    this.#prefetching--
    if (this.#prefetching === 0) for (const resolve of this.#onSettled.splice(0)) resolve()
    this.#options.onPrefetched(error)
  }

  /**
   * Processes records until a batch is used up, `recordsMax` are done, or the output is full. @returns how many
   * @throws WeirError deserialization-failed or processing-failed; the position is then that of the record that failed
   */
  process(recordsMax: number): number {
    const { output } = this.#options
    let processed = 0
    for (const { input } of this.#inputs) input.advance()
    if (this.#inputs.length === 1) {
      const only = this.#inputs[0]!
      while (processed < recordsMax && only.input.hasRecord && !output.isFull) {
        this.#processHead(only)
        processed++
      }
    } else {
      while (processed < recordsMax && !output.isFull) {
        const chosen = this.#choose()
        if (chosen === null) break
        this.#processHead(chosen)
        processed++
        if (!chosen.input.hasRecord) chosen.input.advance()
      }
    }
    return processed
  }

  /**
   * The input whose head has the smallest timestamp; among equals the first. As max.task.idle.ms says: with 0 an empty input is waited for only while the
   * broker is known to have records for it; above 0 that long besides; with -1 never.
   */
  #choose(): Input | null {
    const { maxTaskIdleMs } = this.#options
    let best: Input | null = null
    let bestTimestamp = 0
    let missing = false
    let behind = false
    for (const one of this.#inputs) {
      if (!one.input.hasRecord) {
        missing = true
        behind ||= one.input.next !== null || one.input.isBehind
      } else {
        const timestamp = this.#headTimestamp(one)
        if (best === null || timestamp < bestTimestamp) {
          best = one
          bestTimestamp = timestamp
        }
      }
    }
    if (best === null || !missing || maxTaskIdleMs < 0) {
      this.#idleSinceMs = -1
      return best
    }
    if (behind) {
      this.#idleSinceMs = -1
      return null
    }
    if (maxTaskIdleMs === 0) return best
    const now = this.#clock.systemTimeMs()
    if (this.#idleSinceMs < 0) this.#idleSinceMs = now
    return now - this.#idleSinceMs >= maxTaskIdleMs ? best : null
  }

  #processHead(one: Input): void {
    const { input, source, stores } = one
    const batch = input.current!
    const index = input.cursor
    const clock = this.#clock
    const { definition, children } = source
    const timestamp = this.#headTimestamp(one)
    this.#at(one)
    try {
      const decoded = batch.keys[index]
      const key = decoded === undefined ? decodeKey(batch, index, definition.key) : decoded
      if (timestamp < 0) {
        this.#options.counters.recordsDropped++
      } else {
        if (timestamp > input.partitionTimeMs) input.partitionTimeMs = timestamp
        if (timestamp > clock.streamTimeMs) clock.streamTimeMs = timestamp
        clock.timestamp = timestamp
        const record = new SourceRecord(batch, index, key, timestamp, definition.value)
        for (let store = 0; store < stores.length; store++) {
          const entry = batch.prefetches[store]?.entries[index]
          if (entry !== undefined) stores[store]!.store.cache.expect(entry)
        }
        for (let child = 0; child < children.length; child++) children[child]!.process(record)
      }
    } catch (error) {
      throw this.#recordFailed(error)
    }
    this.#changed = true
    this.recordsProcessed++
    if (this.state !== null) this.#closeScans()
    if (input.step()) {
      unpinBatch(stores)
      this.state?.trim()
    }
    if (clock.streamTimeMs >= this.#streamTime.nextMs) this.punctuateStreamTime()
  }

  /** The clock says which record is at work: for processors and for messages. */
  #at({ input, source }: Input): void {
    const clock = this.#clock
    clock.topic = input.topic
    clock.partition = input.partition
    clock.offset = input.current!.offset[input.cursor]!
    clock.node = source.definition.name
  }

  /** The head's own timestamp, or what the source's extractor makes of it: asked once per record. */
  #headTimestamp(one: Input): number {
    const { input, source } = one
    const { timestampExtractor, key, value } = source.definition
    if (timestampExtractor === undefined) return input.headTimestamp
    const batch = input.current!
    const index = input.cursor
    if (one.extractedOffset !== batch.offset[index]) {
      this.#at(one)
      try {
        const record = new SourceRecord(
          batch,
          index,
          decodeKey(batch, index, key),
          input.headTimestamp,
          value,
        )
        one.extractedTimestamp = timestampExtractor(record, input.partitionTimeMs)
      } catch (error) {
        throw this.#recordFailed(error)
      }
      one.extractedOffset = batch.offset[index]!
    }
    return one.extractedTimestamp
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
    this.#changed = true
    clock.inPunctuator = true
    clock.node = node
    clock.timestamp = timestamp
    try {
      this.#guard(() => punctuator(timestamp))
    } finally {
      clock.inPunctuator = false
    }
    this.#closeScans()
  }

  /** Counts each; warns of the first that a processor drops. */
  #recordDropped(processor: string, reason: string): void {
    this.#options.counters.recordsDropped++
    if (this.#droppedBy.has(processor)) return
    this.#droppedBy.add(processor)
    const { topic, partition, offset } = this.#clock
    this.#options.warn(
      'records are dropped; this is the first, and weir_process_records_dropped_total counts them',
      {
        task: this.id,
        processor,
        reason,
        topic,
        partition,
        offset,
      },
    )
  }

  #closeScans(): void {
    const open = this.state?.closeScans() ?? 0
    if (open > 0) {
      this.#options.warn('an iterator was left open; close it, or declare it with `using`', {
        task: this.id,
        processor: this.#clock.node,
        iterators: open,
      })
    }
  }

  /** Stops the processors, and drops what was not committed. */
  async close(): Promise<void> {
    if (this.taskState === 'closed') return
    const started = this.taskState === 'running' || this.taskState === 'suspended'
    this.taskState = 'closed'
    await this.prefetchSettled()
    this.#closeInputs()
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
      throw this.#processingFailed(error, `task ${this.id}, processor ${this.#clock.node}`)
    }
  }

  #recordFailed(error: unknown): WeirError {
    const { topic, partition, offset, node } = this.#clock
    const where = `${topic} partition ${partition} offset ${offset}`
    if (error instanceof DeserializationError) {
      return new WeirError('deserialization-failed', `${where}: ${error.message}`, { cause: error })
    }
    return this.#processingFailed(error, `${where}, processor ${node}`)
  }

  #processingFailed(error: unknown, where: string): WeirError {
    return new WeirError('processing-failed', `${where}: ${messageOf(error)}`, { cause: error })
  }
}

/** An input's oldest batch is done with. */
function unpinBatch(stores: Input['stores']): void {
  for (const { store, pins } of stores) store.cache.unpin(pins.shift()!)
}
