import type { AggregateOptions } from './aggregate.ts'
import type { OperatorContext } from './operator-context.ts'

export interface WindowedAggregateOptions extends AggregateOptions {
  /** A window is forwarded once, when it has closed, instead of at every change. */
  readonly emitsOnClose: boolean
}

/**
 * When windows are told at their close, and up to which they have been: committed with the source's offsets, so that none is told twice or left out
 * after a restart. Kafka Streams' EmitStrategy.onWindowClose, KIP-825.
 */
export class WindowClose {
  readonly #context: OperatorContext
  readonly #store: string
  #nextMs = 0

  /** @param store names what is committed */
  constructor(context: OperatorContext, store: string) {
    this.#context = context
    this.#store = store
  }

  /** The close time of the windows told last, ms; -1 before the first. */
  get lastMs(): number {
    return this.#context.processorMetadata(this.#store) ?? -1
  }

  /** @param closeTimeMs windows that end before (of time windows: at) it have closed */
  isDue(closeTimeMs: number): boolean {
    const nowMs = this.#context.currentSystemTimeMs()
    if (nowMs < this.#nextMs) return false
    this.#nextMs = nowMs + this.#context.emitIntervalMs
    const { lastMs } = this
    return lastMs === -1 || lastMs < closeTimeMs
  }

  told(closeTimeMs: number): void {
    this.#context.setProcessorMetadata(this.#store, closeTimeMs)
  }
}
