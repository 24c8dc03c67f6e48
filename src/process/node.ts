import type { OutputBatch } from '../produce/output-batch.ts'
import type { SinkDefinition } from '../topology/definition.ts'
import type { Processor, ProcessorContext } from './processor.ts'
import type { StreamRecord } from './record.ts'
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

  constructor(name: string, processor: Processor, context: ProcessorContext, clock: TaskClock) {
    this.name = name
    this.processor = processor
    this.#context = context
    this.#clock = clock
  }

  init(): void {
    this.#clock.node = this.name
    this.processor.init?.(this.#context)
  }

  process(record: StreamRecord<unknown, unknown>): void {
    this.#clock.node = this.name
    this.processor.process(record, this.#context)
  }

  close(): void {
    this.processor.close?.()
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

export class SinkNode implements Node {
  readonly name: string
  readonly #definition: SinkDefinition
  readonly #topic: SinkTopic
  readonly #output: OutputBatch
  readonly #clock: TaskClock

  constructor(definition: SinkDefinition, topic: SinkTopic, output: OutputBatch, clock: TaskClock) {
    this.name = definition.name
    this.#definition = definition
    this.#topic = topic
    this.#output = output
    this.#clock = clock
  }

  process(record: StreamRecord<unknown, unknown>): void {
    const { key: keySerde, value: valueSerde, partitioner } = this.#definition
    this.#clock.node = this.name
    if (record.timestamp < 0) {
      throw new RangeError(`the record's timestamp is ${record.timestamp}; Kafka takes none below 0`)
    }
    const { key, value } = record
    const partition =
      partitioner === undefined
        ? -1
        : this.#choose(partitioner(this.#topic.name, key, value, this.#topic.partitions))
    const { id, produced } = this.#topic
    produced.bytes += this.#output.add(
      id,
      partition,
      keySerde,
      key,
      valueSerde,
      value,
      record.timestamp,
      record.headers,
    )
    produced.records++
  }

  #choose(partition: number): number {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.#topic.partitions) return partition
    throw new RangeError(
      `the partitioner of ${this.name} chose partition ${partition}; ${this.#topic.name} has 0 to ${this.#topic.partitions - 1}`,
    )
  }
}
