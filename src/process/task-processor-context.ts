import type { NodeCounters } from '../observe/node-counters.ts'
import type { Store } from '../state/store.ts'
import type { RunAhead } from './async/run-ahead.ts'
import type { ErrorGuard } from './error-guard.ts'
import { Headers } from './headers.ts'
import type { Node } from './node.ts'
import type { OperatorContext } from './operators/operator-context.ts'
import type { Cancellable, PunctuationType, Punctuator } from './processor.ts'
import type { PunctuationQueue } from './punctuation.ts'
import type { RecordMetadata, StreamRecord } from './record.ts'
import type { RecordOrigin } from './record-origin.ts'
import type { RecordTracer } from './record-tracer.ts'
import type { TaskClock } from './task-clock.ts'

/** What all processors of a task share. */
export interface TaskEnvironment {
  readonly applicationId: string
  readonly taskId: string
  readonly partition: number
  readonly clock: TaskClock
  readonly streamTimePunctuations: PunctuationQueue
  readonly wallClockPunctuations: PunctuationQueue
  /** A global store is filled: its processors have no task to schedule in. Default: false. */
  readonly isGlobal?: boolean
  /** Where records go ahead of their turns, as far as async processors. Default: they do not, there are none. */
  readonly runAhead?: RunAhead | null
  /** The processor is above an async one. Default: false. */
  readonly goesAhead?: boolean
  /** Closed windows are looked for no more often, ms. */
  readonly emitIntervalMs: number
  /** What processors keep with the committed offsets. */
  readonly processorMetadata: Map<string, number>
  /** Counts the record at work as dropped by an operator. */
  readonly recordDropped: (processor: string, reason: string) => void
  /** Counts a change that a suppression forwards. */
  readonly suppressionEmitted: (processor: string) => void
  /** What is counted at a node. @param isLast nothing is below it. Default: nobody looks at it */
  readonly nodeCounters?: ((node: string, isLast: boolean) => NodeCounters) | undefined
  /** Default: every error ends the thread. */
  readonly errors?: ErrorGuard | null
  /** Default: none. */
  readonly tracer?: RecordTracer | null
}

/** One processor's view of its task. */
export class TaskProcessorContext implements OperatorContext {
  readonly applicationId: string
  readonly taskId: string
  readonly partition: number
  readonly emitIntervalMs: number
  readonly #name: string
  readonly #stores: ReadonlyMap<string, Store>
  readonly #children: readonly Node[]
  readonly #only: Node | null
  readonly #environment: TaskEnvironment

  /** @param stores those connected to this processor; @param children in order of definition */
  constructor(
    name: string,
    environment: TaskEnvironment,
    stores: ReadonlyMap<string, Store>,
    children: readonly Node[],
  ) {
    this.applicationId = environment.applicationId
    this.taskId = environment.taskId
    this.partition = environment.partition
    this.emitIntervalMs = environment.emitIntervalMs
    this.#name = name
    this.#environment = environment
    this.#stores = stores
    this.#children = children
    this.#only = children.length === 1 ? children[0]! : null
  }

  stateStore<S extends Store = Store>(name: string): S {
    const store = this.#stores.get(name)
    if (store === undefined) {
      const known = [...this.#stores.keys()].join(', ') || 'none'
      throw new Error(
        `processor ${this.#name} has no store ${name}; connected to it: ${known}. Name the store among the processor's stores`,
      )
    }
    return store as S
  }

  forward(record: StreamRecord<unknown, unknown>, child?: string): void {
    const { clock } = this.#environment
    const before = clock.timestamp
    // What is below works at the record's time: changelogs are written with it.
    const isMoved = record.timestamp !== before
    if (isMoved) clock.timestamp = record.timestamp
    if (child !== undefined) {
      this.#named(child).process(record)
    } else if (this.#only !== null) {
      this.#only.process(record)
    } else {
      for (const node of this.#children) node.process(record)
    }
    clock.node = this.#name
    if (isMoved) clock.timestamp = before
  }

  schedule(
    options: { readonly intervalMs: number; readonly type: PunctuationType },
    punctuator: Punctuator,
  ): Cancellable {
    const { clock, streamTimePunctuations, wallClockPunctuations, isGlobal, goesAhead } = this.#environment
    if (isGlobal === true)
      throw new TypeError(`processor ${this.#name}: schedule: the processor of a global store has none`)
    if (goesAhead === true)
      throw new TypeError(
        `processor ${this.#name}: schedule: a processor above an async one has none; schedule in the async one, or below it`,
      )
    switch (options.type) {
      // As Kafka Streams: stream time punctuates first at the first record, wall-clock time after one interval.
      case 'stream-time':
        return streamTimePunctuations.add(this.#name, options.intervalMs, 0, punctuator)
      case 'wall-clock-time':
        return wallClockPunctuations.add(
          this.#name,
          options.intervalMs,
          clock.systemTimeMs() + options.intervalMs,
          punctuator,
        )
      default:
        throw new TypeError(
          `processor ${this.#name}: schedule: type is ${options.type}; allowed: stream-time, wall-clock-time`,
        )
    }
  }

  recordMetadata(): RecordMetadata | null {
    return this.#environment.clock.metadata()
  }

  currentStreamTimeMs(): number {
    return this.#environment.clock.streamTimeMs
  }

  currentSystemTimeMs(): number {
    return this.#environment.clock.systemTimeMs()
  }

  commit(): void {
    this.#environment.clock.commitRequested = true
  }

  recordDropped(reason: string): void {
    this.#environment.recordDropped(this.#name, reason)
  }

  suppressionEmitted(): void {
    this.#environment.suppressionEmitted(this.#name)
  }

  processorMetadata(name: string): number | null {
    return this.#environment.processorMetadata.get(name) ?? null
  }

  setProcessorMetadata(name: string, value: number): void {
    this.#environment.processorMetadata.set(name, value)
  }

  origin(record: StreamRecord<unknown, unknown> | null, into: RecordOrigin | null): RecordOrigin {
    const { clock } = this.#environment
    const origin = into ?? { topic: '', partition: 0, offset: 0, timestamp: 0, headers: Headers.empty }
    origin.topic = clock.topic
    origin.partition = clock.partition
    origin.offset = clock.inPunctuator ? -1 : clock.offset
    origin.timestamp = record === null ? clock.timestamp : record.timestamp
    origin.headers = record === null ? Headers.empty : record.headers
    return origin
  }

  forwardFor(origin: RecordOrigin, record: StreamRecord<unknown, unknown>): void {
    const { clock } = this.#environment
    const { topic, partition, offset, timestamp, inPunctuator, node } = clock
    clock.topic = origin.topic
    clock.partition = origin.partition
    clock.offset = origin.offset
    clock.timestamp = record.timestamp
    clock.inPunctuator = false
    clock.node = this.#name
    this.forward(record)
    // An error leaves the clock as it is: it says where the error was.
    clock.topic = topic
    clock.partition = partition
    clock.offset = offset
    clock.timestamp = timestamp
    clock.inPunctuator = inPunctuator
    clock.node = node
  }

  #named(child: string): Node {
    const node = this.#children.find(({ name }) => name === child)
    if (node !== undefined) return node
    const known = this.#children.map(({ name }) => name).join(', ') || 'none'
    throw new Error(`processor ${this.#name} has no child ${child}; its children: ${known}`)
  }
}
