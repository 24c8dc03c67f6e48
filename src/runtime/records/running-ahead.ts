import type { AsyncProcessorNode } from '../../process/async/async-node.ts'
import type { RunAhead } from '../../process/async/run-ahead.ts'
import type { ErrorGuard } from '../../process/error-guard.ts'
import type { Node } from '../../process/node.ts'
import type { StreamRecord } from '../../process/record.ts'
import type { TaskClock } from '../../process/task-clock.ts'
import { AsyncCall } from './async-call.ts'
import type { InFlightRecord } from './in-flight-record.ts'

/** Writes down what the nodes above async processors make of the record that goes ahead: calls, and steps for its turn. */
export class RunningAhead implements RunAhead {
  /** The record that goes ahead; null: none does, a processor is being started. */
  at: InFlightRecord | null = null
  readonly #clock: TaskClock
  readonly #errors: ErrorGuard | null

  constructor(clock: TaskClock, errors: ErrorGuard | null) {
    this.#clock = clock
    this.#errors = errors
  }

  call(node: AsyncProcessorNode, record: StreamRecord<unknown, unknown>): void {
    const { at } = this
    if (at === null)
      throw new Error(`${node.name} is async: it takes records from sources, not what init() forwards`)
    const call = new AsyncCall(node, record, at)
    at.calls.push(call)
    at.addStep(() => node.complete(record, call.outcome!))
  }

  defer(node: Node, record: StreamRecord<unknown, unknown>): void {
    if (this.at === null) node.process(record)
    else this.at.addStep(() => node.process(record))
  }

  failed(node: string, record: StreamRecord<unknown, unknown> | null, error: unknown): void {
    if (this.at === null) throw error
    this.at.addStep(() => {
      this.#clock.node = node
      this.#errors!.processingFailed!(node, record, error)
    })
  }

  /** What nobody above takes: it ends the record's turn. */
  thrown(error: unknown): void {
    const { node } = this.#clock
    this.at!.addStep(() => {
      this.#clock.node = node
      throw error
    })
  }
}
