import type { AsyncProcessorNode, Outcome } from '../../process/async/async-node.ts'
import type { AsyncContext } from '../../process/async-processor.ts'
import type { RecordMetadata, StreamRecord } from '../../process/record.ts'
import type { Store } from '../../state/store.ts'
import type { InFlightRecord } from './in-flight-record.ts'
import { keyIdentity } from './key-identity.ts'

/**
 * A record on its way through an async processor.
 *
 *   waiting (for records of its key) -> ready (for a place) -> running -> settled
 *   └────────────────────────────────────────┴──────────────────┴-> dropped: nobody waits for it any more
 */
export class AsyncCall implements AsyncContext {
  readonly node: AsyncProcessorNode
  /** As the processor gets it. */
  readonly record: StreamRecord<unknown, unknown>
  readonly of: InFlightRecord
  /** Its place among the task's calls. */
  readonly order: number
  /** Calls with the same do not overlap; null: it is independent of all others. */
  readonly key: string | null
  state: 'waiting' | 'ready' | 'running' | 'settled' | 'dropped' = 'waiting'
  /** Of one that has settled. */
  outcome: Outcome | null = null
  /** When it has taken too long, ms; of one that runs. */
  deadlineMs = Number.POSITIVE_INFINITY
  /** By performance.now(), of one that is timed. null: it is not. */
  beganMs: number | null = null
  /** When it began, for RecordWatch; of one that runs. */
  begunAtTick = 0
  #controller: AbortController | null = null
  #aborted: Error | null = null

  constructor(node: AsyncProcessorNode, record: StreamRecord<unknown, unknown>, of: InFlightRecord) {
    this.node = node
    this.record = record
    this.of = of
    // Behind those that the record has made by now, before those of the next record.
    this.order = of.sequence + of.calls.length / 2 ** 20
    this.key = record.key === null ? null : keyIdentity(record.key)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    // Who asks late learns of it, too.
    if (this.#aborted !== null) this.#controller.abort(this.#aborted)
    return this.#controller.signal
  }

  stateStore<S extends Store = Store>(name: string): S {
    return this.node.stateStore(name)
  }

  recordMetadata(): RecordMetadata {
    const { one, offset } = this.of
    return { topic: one.input.topic, partition: one.input.partition, offset }
  }

  /** Nobody waits for its promise any more. */
  abort(reason: Error): void {
    this.#aborted = reason
    this.#controller?.abort(reason)
  }

  /** Its record goes, or this attempt at it. */
  drop(reason: Error): void {
    this.state = 'dropped'
    this.abort(reason)
  }
}
