import type { OutputBatch } from '../produce/output-batch.ts'
import { type SinkDefinition, sinkTopics } from '../topology/definition.ts'
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

/** What a sink needs of its task. */
export interface SinkEnvironment {
  readonly clock: TaskClock
  /** Counts the record at work as dropped. */
  readonly recordDropped: (node: string, reason: string) => void
}

export class SinkNode implements Node {
  readonly name: string
  readonly #definition: SinkDefinition
  readonly #topics: ReadonlyMap<string, SinkTopic>
  /** Where all records go; null when a chooser says where. */
  readonly #only: SinkTopic | null
  readonly #output: OutputBatch
  readonly #environment: SinkEnvironment

  /** @param topics those of the definition, in the same order */
  constructor(
    definition: SinkDefinition,
    topics: readonly SinkTopic[],
    output: OutputBatch,
    environment: SinkEnvironment,
  ) {
    this.name = definition.name
    this.#definition = definition
    this.#topics = new Map(sinkTopics(definition).map((name, index) => [name, topics[index]!]))
    this.#only = definition.chooser === undefined ? topics[0]! : null
    this.#output = output
    this.#environment = environment
  }

  process(record: StreamRecord<unknown, unknown>): void {
    this.#environment.clock.node = this.name
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

  #send(record: StreamRecord<unknown, unknown>, { id, name, produced }: SinkTopic, partition: number): void {
    const { key, value, timestamp, headers } = record
    const definition = this.#definition
    const { key: keySerde, value: valueSerde } = definition.serdes?.get(name) ?? definition
    produced.bytes += this.#output.add(id, partition, keySerde, key, valueSerde, value, timestamp, headers)
    produced.records++
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
