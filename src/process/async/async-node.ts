import type { NodeCounters } from '../../observe/node-counters.ts'
import type { Store } from '../../state/store.ts'
import type { AsyncContext, AsyncProcessor } from '../async-processor.ts'
import type { GuardedProcessorNode, ProcessorNode } from '../node.ts'
import type { Processor, ProcessorContext } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { GatedContext } from './gated-context.ts'
import { TurnGate } from './turn-gate.ts'

/** What has become of a promise. */
export type Outcome =
  | { readonly isRejected: false; readonly value: unknown }
  | { readonly isRejected: true; readonly error: unknown }

/** An async processor in its records' turns, as a processor like any other: what its promise was rejected with it throws. */
class TurnProcessor implements Processor {
  readonly gate = new TurnGate()
  readonly processor: AsyncProcessor
  outcome: Outcome | null = null
  context: GatedContext<unknown, unknown> | null = null

  constructor(processor: AsyncProcessor) {
    this.processor = processor
  }

  init(context: ProcessorContext): void {
    const gated = new GatedContext(context, this.gate)
    this.context = gated
    this.gate.within('turn', () => this.processor.init?.(gated))
  }

  process(record: StreamRecord<unknown, unknown>): void {
    const outcome = this.outcome!
    if (outcome.isRejected) throw outcome.error
    this.gate.within('turn', () => this.processor.complete?.(record, outcome.value, this.context!))
  }

  close(): void {
    this.gate.within('reads', () => this.processor.close?.())
  }
}

/** An async processor of one task: begins promises ahead of their records' turns, and completes the records in them. */
export class AsyncProcessorNode {
  readonly name: string
  /** How many promises may be under way at once. */
  readonly concurrency: number
  readonly counters: NodeCounters
  /** Starts, closes, and is asked of errors as every processor's. */
  readonly node: ProcessorNode
  readonly #turn: TurnProcessor

  /** @param wrap makes the node of the processor that is given it */
  constructor(
    name: string,
    processor: AsyncProcessor,
    concurrency: number,
    counters: NodeCounters,
    wrap: (processor: Processor) => ProcessorNode | GuardedProcessorNode,
  ) {
    this.name = name
    this.concurrency = concurrency
    this.counters = counters
    this.#turn = new TurnProcessor(processor)
    this.node = wrap(this.#turn)
  }

  /** What the processor throws instead of answering is what its promise is rejected with. */
  async begin(record: StreamRecord<unknown, unknown>, context: AsyncContext): Promise<unknown> {
    const { gate, processor } = this.#turn
    return await gate.within('reads', () => processor.process(record, context))
  }

  /** The record's turn has come. */
  complete(record: StreamRecord<unknown, unknown>, outcome: Outcome): void {
    this.#turn.outcome = outcome
    try {
      this.node.process(record)
    } finally {
      this.#turn.outcome = null
    }
  }

  stateStore<S extends Store>(name: string): S {
    return this.#turn.context!.stateStore(name)
  }
}
