import { WeirError } from '../../errors/weir-error.ts'
import type { AsyncProcessorNode, Outcome } from '../../process/async/async-node.ts'
import type { TaskClock } from '../../process/task-clock.ts'
import type { TaskScans } from '../task-scans.ts'
import type { AsyncCall } from './async-call.ts'
import type { InFlightRecord } from './in-flight-record.ts'
import { NodeCalls } from './node-calls.ts'

/** A thread that looks so late was held up, by a slow record or a pause of the process: what has come meanwhile is told to it first, ms. */
const GRACE_MS = 250

/** One of so many promises of a task is timed. */
const CALLS_PER_SAMPLE = 16

export interface AsyncCallsOptions {
  readonly clock: TaskClock
  /** null: a task without stores. */
  readonly scans: TaskScans | null
  /** How long a promise may take, ms. */
  readonly timeoutMs: number
  /** A promise has settled. Runs at any moment. */
  readonly settled: (call: AsyncCall) => void
  /** A promise has taken long. Runs at any moment. */
  readonly slow: (call: AsyncCall, durationMs: number) => void
}

/** The promises of a task's async processors: begun in their order, within their bounds, and given up when they take too long. */
export class AsyncCalls {
  readonly #options: AsyncCallsOptions
  readonly #nodes = new Map<AsyncProcessorNode, NodeCalls>()
  /** In the order in which they began, which is that of their deadlines. */
  readonly #running = new Set<AsyncCall>()
  /** The same, of those whose deadlines have passed unseen. */
  readonly #late = new Set<AsyncCall>()
  #begun = 0

  constructor(options: AsyncCallsOptions) {
    this.#options = options
  }

  /** When the next promise has taken too long, ms; Infinity when none is under way. */
  get deadlineMs(): number {
    return Math.min(firstDeadlineMs(this.#running), firstDeadlineMs(this.#late))
  }

  /** The calls that a record has made. @param instead of these, which it made in an attempt before */
  add({ calls }: InFlightRecord, instead: readonly AsyncCall[]): void {
    for (const call of calls) this.#of(call).add(call)
    if (instead.length > 0) this.remove(instead)
  }

  /** Calls of a record that is done with. */
  remove(calls: readonly AsyncCall[]): void {
    if (calls.length === 1) this.#of(calls[0]!).remove(calls)
    else for (const node of this.#nodes.values()) node.remove(calls.filter((call) => this.#of(call) === node))
  }

  #of({ node }: AsyncCall): NodeCalls {
    let calls = this.#nodes.get(node)
    if (calls === undefined) {
      calls = new NodeCalls(node.concurrency)
      this.#nodes.set(node, calls)
    }
    return calls
  }

  /** Begins what may begin. */
  begin(): void {
    for (const node of this.#nodes.values())
      for (let call = node.take(); call !== null; call = node.take()) this.#begin(call)
  }

  #begin(call: AsyncCall): void {
    const { clock, scans, timeoutMs } = this.#options
    const { of, node, record } = call
    call.deadlineMs = clock.systemTimeMs() + timeoutMs
    if (this.#begun++ % CALLS_PER_SAMPLE === 0) call.beganMs = performance.now()
    call.begunAtTick = clock.tick
    of.running++
    this.#running.add(call)
    of.enter()
    clock.node = node.name
    of.within(() => {
      node.begin(record, call).then(
        (value) => this.#ended(call, { isRejected: false, value }),
        (error: unknown) => this.#ended(call, { isRejected: true, error }),
      )
    })
    scans?.close()
  }

  #ended(call: AsyncCall, outcome: Outcome): void {
    if (!this.#running.delete(call) && !this.#late.delete(call)) return
    const durationMs = this.#options.clock.slowSince(call.begunAtTick)
    if (durationMs !== null) this.#options.slow(call, durationMs)
    call.state = 'settled'
    call.outcome = outcome
    if (call.beganMs !== null) call.node.counters.promises.observe((performance.now() - call.beganMs) / 1000)
    call.of.running--
    call.of.waiting--
    this.#of(call).ended(call)
    this.#options.settled(call)
  }

  /** Gives up those that have taken too long: they have failed, whatever comes of them. */
  expire(): void {
    const now = this.#options.clock.systemTimeMs()
    if (this.deadlineMs > now) return
    for (const call of this.#late) {
      if (call.deadlineMs > now) break
      this.#giveUp(call)
    }
    for (const call of this.#running) {
      if (call.deadlineMs > now) break
      if (now - call.deadlineMs < GRACE_MS) {
        this.#giveUp(call)
      } else {
        this.#running.delete(call)
        call.deadlineMs = now + GRACE_MS
        this.#late.add(call)
      }
    }
  }

  #giveUp(call: AsyncCall): void {
    const { timeoutMs } = this.#options
    const what = `${call.node.name} has waited for a promise for longer than ${timeoutMs} ms (WEIR_ASYNC_TIMEOUT_MS)`
    const error = new WeirError('async-timeout', what)
    this.#ended(call, { isRejected: true, error })
    call.abort(error)
  }

  /** Forgets all: nobody waits for the promises that are under way. */
  drop(reason: Error): void {
    for (const calls of [this.#running, this.#late]) {
      for (const call of calls) call.drop(reason)
      calls.clear()
    }
    this.#nodes.clear()
  }
}

function firstDeadlineMs(calls: ReadonlySet<AsyncCall>): number {
  for (const { deadlineMs } of calls) return deadlineMs
  return Number.POSITIVE_INFINITY
}
