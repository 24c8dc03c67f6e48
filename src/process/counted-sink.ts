import { NodeCounters } from '../observe/node-counters.ts'
import type { Node } from './node.ts'
import type { StreamRecord } from './record.ts'
import type { TaskClock } from './task-clock.ts'

/** What every sink needs of its task. */
export interface CountedSinkEnvironment {
  readonly clock: TaskClock
  /** Default: nobody looks at them. */
  readonly nodeCounters?: ((node: string, isLast: boolean) => NodeCounters) | undefined
}

/** A node that nothing is below: its records are counted, and some of them timed. */
export abstract class CountedSink implements Node {
  readonly name: string
  readonly #clock: TaskClock
  readonly #counters: NodeCounters

  constructor(name: string, { clock, nodeCounters }: CountedSinkEnvironment) {
    this.name = name
    this.#clock = clock
    this.#counters = nodeCounters?.(name, true) ?? new NodeCounters(true)
  }

  process(record: StreamRecord<unknown, unknown>): void {
    const clock = this.#clock
    clock.node = this.name
    this.#counters.records++
    if (clock.isSampled) this.#writeTimed(record)
    else this.write(record)
  }

  /** Apart, so that the usual way has no closure. */
  #writeTimed(record: StreamRecord<unknown, unknown>): void {
    this.#counters.time(this.#clock, record.timestamp, () => this.write(record))
  }

  protected abstract write(record: StreamRecord<unknown, unknown>): void
}
