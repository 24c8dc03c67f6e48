import type { Node } from '../node.ts'
import type { StreamRecord } from '../record.ts'
import type { AsyncProcessorNode } from './async-node.ts'

/**
 * Takes what the nodes above async processors make of a record, ahead of its turn: promises begin as soon as they may, all else is done when the
 * turn has come, in the same order.
 */
export interface RunAhead {
  /** The record goes to an async processor. */
  call(node: AsyncProcessorNode, record: StreamRecord<unknown, unknown>): void
  /** The record goes to a node that is above no async processor. */
  defer(node: Node, record: StreamRecord<unknown, unknown>): void
  /** A node above has failed at the record: a handler is asked. */
  failed(node: string, record: StreamRecord<unknown, unknown> | null, error: unknown): void
}

/** Stands for an async processor below the nodes that are above it. */
export class CalledNode implements Node {
  readonly name: string
  readonly #node: AsyncProcessorNode
  readonly #ahead: RunAhead

  constructor(node: AsyncProcessorNode, ahead: RunAhead) {
    this.name = node.name
    this.#node = node
    this.#ahead = ahead
  }

  process(record: StreamRecord<unknown, unknown>): void {
    this.#ahead.call(this.#node, record)
  }
}

/** Stands for a node that is above no async processor, below one that is. */
export class DeferredNode implements Node {
  readonly name: string
  readonly #node: Node
  readonly #ahead: RunAhead

  constructor(node: Node, ahead: RunAhead) {
    this.name = node.name
    this.#node = node
    this.#ahead = ahead
  }

  process(record: StreamRecord<unknown, unknown>): void {
    this.#ahead.defer(this.#node, record)
  }
}
