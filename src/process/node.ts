import type { NodeCounters } from '../observe/node-counters.ts'
import { type OutputBatch, SerializationError } from '../produce/output-batch.ts'
import { type SinkDefinition, sinkTopics } from '../topology/definition.ts'
import { CountedSink, type CountedSinkEnvironment } from './counted-sink.ts'
import type { ErrorGuard } from './error-guard.ts'
import type { Headers } from './headers.ts'
import type { Processor, ProcessorContext } from './processor.ts'
import type { StreamRecord } from './record.ts'
import type { RecordTracer } from './record-tracer.ts'
import type { TaskClock } from './task-clock.ts'

/** A node of one task's graph: a record goes in, and depth-first through everything below it, before `process` returns. */
export interface Node {
  readonly name: string
  process(record: StreamRecord<unknown, unknown>): void
}

export class ProcessorNode implements Node {
  readonly name: string
  readonly processor: Processor
  readonly #context: ProcessorContext
  readonly #clock: TaskClock
  readonly #counters: NodeCounters

  constructor(
    name: string,
    processor: Processor,
    context: ProcessorContext,
    clock: TaskClock,
    counters: NodeCounters,
  ) {
    this.name = name
    this.processor = processor
    this.#context = context
    this.#clock = clock
    this.#counters = counters
  }

  init(): void {
    this.#clock.node = this.name
    this.processor.init?.(this.#context)
  }

  process(record: StreamRecord<unknown, unknown>): void {
    const clock = this.#clock
    clock.node = this.name
    this.#counters.records++
    if (clock.isSampled) this.#processTimed(record)
    else this.processor.process(record, this.#context)
  }

  /** Apart, so that the usual way has no closure. */
  #processTimed(record: StreamRecord<unknown, unknown>): void {
    const { timestamp } = record
    this.#counters.time(this.#clock, timestamp, () => this.processor.process(record, this.#context))
  }

  close(): void {
    this.processor.close?.()
  }
}

/** A processor whose errors are handed to a handler: what it has forwarded and put before stays. Kafka Streams' ProcessorNode.process. */
export class GuardedProcessorNode extends ProcessorNode {
  readonly #clock: TaskClock
  readonly #failed: NonNullable<ErrorGuard['processingFailed']>

  constructor(
    name: string,
    processor: Processor,
    context: ProcessorContext,
    clock: TaskClock,
    counters: NodeCounters,
    failed: NonNullable<ErrorGuard['processingFailed']>,
  ) {
    super(name, processor, context, clock, counters)
    this.#clock = clock
    this.#failed = failed
  }

  override process(record: StreamRecord<unknown, unknown>): void {
    const clock = this.#clock
    const { topic, partition, offset, timestamp, inPunctuator } = clock
    try {
      super.process(record)
    } catch (error) {
      // An error leaves the clock where it arose, which may be below a node that had moved it.
      const failedAt = clock.place()
      clock.return({ topic, partition, offset, timestamp, inPunctuator, node: this.name })
      try {
        this.#failed(this.name, record, error)
      } catch (fatal) {
        clock.return(failedAt)
        throw fatal
      }
    }
  }
}

/** Where a sink writes: the real topic, known to the producer. */
export interface SinkTopic {
  readonly id: number
  readonly name: string
  readonly partitions: number
  /** What was written to it so far. */
  readonly produced: { records: number; bytes: number }
}

/** What a sink needs of its task. */
export interface SinkEnvironment extends CountedSinkEnvironment {
  /** Counts the record at work as dropped. */
  readonly recordDropped: (node: string, reason: string) => void
  /** Default: every error ends the thread. */
  readonly errors?: ErrorGuard | null
  /** Default: none. */
  readonly tracer?: RecordTracer | null
}

export class SinkNode extends CountedSink {
  readonly #definition: SinkDefinition
  readonly #topics: ReadonlyMap<string, SinkTopic>
  /** Where all records go; null when a chooser says where. */
  readonly #only: SinkTopic | null
  readonly #output: OutputBatch
  readonly #environment: SinkEnvironment
  readonly #errors: ErrorGuard | null
  readonly #tracer: RecordTracer | null
  /** Infinity where nobody is asked about larger ones. */
  readonly #recordBytesMax: number

  /** @param topics those of the definition, in the same order */
  constructor(
    definition: SinkDefinition,
    topics: readonly SinkTopic[],
    output: OutputBatch,
    environment: SinkEnvironment,
  ) {
    super(definition.name, environment)
    this.#definition = definition
    this.#topics = new Map(sinkTopics(definition).map((name, index) => [name, topics[index]!]))
    this.#only = definition.chooser === undefined ? topics[0]! : null
    this.#output = output
    this.#environment = environment
    const errors = environment.errors?.productionFailed ? environment.errors : null
    this.#errors = errors
    this.#tracer = environment.tracer ?? null
    this.#recordBytesMax = errors?.recordBytesMax ?? Number.POSITIVE_INFINITY
  }

  protected override write(record: StreamRecord<unknown, unknown>): void {
    if (record.timestamp < 0) {
      throw new RangeError(`the record's timestamp is ${record.timestamp}; Kafka takes none below 0`)
    }
    const topic = this.#only ?? this.#chosen(record)
    const { partitioner } = this.#definition
    if (partitioner === undefined) {
      this.#send(record, topic, -1)
      return
    }
    const chosen = partitioner(topic.name, record.key, record.value, topic.partitions)
    if (chosen === null) this.#send(record, topic, -1)
    else if (typeof chosen === 'number') this.#send(record, topic, this.#checked(chosen, topic))
    else this.#sendToAll(record, topic, chosen)
  }

  #sendToAll(
    record: StreamRecord<unknown, unknown>,
    topic: SinkTopic,
    partitions: readonly number[] | undefined,
  ): void {
    if (!Array.isArray(partitions)) this.#checked(partitions as unknown as number, topic)
    const all = new Set(partitions)
    for (const partition of all) this.#checked(partition, topic)
    if (all.size === 0) this.#environment.recordDropped(this.name, 'no partition chosen')
    for (const partition of all) this.#send(record, topic, partition)
  }

  #send(record: StreamRecord<unknown, unknown>, topic: SinkTopic, partition: number): void {
    const { id, name, produced } = topic
    const { key, value, timestamp } = record
    const headers = this.#tracer === null ? record.headers : this.#tracer.outgoing(record.headers)
    const definition = this.#definition
    const { key: keySerde, value: valueSerde } = definition.serdes?.get(name) ?? definition
    let bytes: number
    try {
      bytes = this.#output.add(id, partition, keySerde, key, valueSerde, value, timestamp, headers)
    } catch (error) {
      if (this.#errors === null) throw error
      this.#refused(record, topic, partition, error)
      return
    }
    if (bytes > this.#recordBytesMax && this.#isTooLarge(timestamp, headers, topic, partition, bytes)) return
    produced.bytes += bytes
    produced.records++
  }

  #refused(
    record: StreamRecord<unknown, unknown>,
    { name: topic }: SinkTopic,
    partition: number,
    error: unknown,
  ): void {
    const { key, value, timestamp, headers } = record
    const stage = error instanceof SerializationError ? error.part : 'send'
    this.#errors!.productionFailed!(
      this.name,
      { topic, partition, stage, key, value, timestamp, headers },
      error,
    )
  }

  /** The record that was added last may be larger than the producer takes. @returns true when it was: it is taken back, and dropped */
  #isTooLarge(
    timestamp: number,
    headers: Headers,
    topic: SinkTopic,
    partition: number,
    addedBytes: number,
  ): boolean {
    const bytes = addedBytes - headers.encodedBytes + headers.wireBytes
    const max = this.#recordBytesMax
    if (bytes <= max) return false
    const { key, value } = this.#output.takeBackLast()
    const error = new RangeError(
      `a record for ${topic.name} has ${bytes} bytes; the producer takes ${max} (message.max.bytes, less its own part)`,
    )
    this.#refused({ key, value, timestamp, headers }, topic, partition, error)
    return true
  }

  #chosen(record: StreamRecord<unknown, unknown>): SinkTopic {
    const name = this.#definition.chooser!(record, this.#environment.clock.metadata())
    const topic = this.#topics.get(name)
    if (topic !== undefined) return topic
    throw new RangeError(
      `the topic chooser of ${this.name} chose ${String(name)}; its topics are ${[...this.#topics.keys()].join(', ')}`,
    )
  }

  #checked(partition: number, { name, partitions }: SinkTopic): number {
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition
    throw new RangeError(
      `the partitioner of ${this.name} chose partition ${partition}; ${name} has 0 to ${partitions - 1}`,
    )
  }
}
