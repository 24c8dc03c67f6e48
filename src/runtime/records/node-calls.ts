import { TimeQueue } from '../../process/time-queue.ts'
import type { AsyncCall } from './async-call.ts'

/**
 * The calls of one async processor: which of them may begin. Those of one key begin in the order of their records, each when the record before is done with;
 * those that one record makes with the same key, when the one before has settled. So many run at once as `concurrency` says, the oldest first.
 */
export class NodeCalls {
  readonly #concurrency: number
  #running = 0
  /** Of each key, in order of their records; those that have settled stay until their record is done with. */
  readonly #byKey = new Map<string, AsyncCall[]>()
  readonly #ready = new TimeQueue<AsyncCall>(({ order }) => order)

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  add(call: AsyncCall): void {
    if (call.key === null) {
      this.#isReady(call)
      return
    }
    const calls = this.#byKey.get(call.key)
    if (calls === undefined) this.#byKey.set(call.key, [call])
    else calls.splice(placeOf(call, calls), 0, call)
    this.#next(call.key)
  }

  /** The next call to begin: it runs from now on. @returns null when there is none, or no place for it */
  take(): AsyncCall | null {
    while (this.#running < this.#concurrency) {
      const call = this.#ready.take()
      if (call === undefined) return null
      if (call.state !== 'ready') continue
      call.state = 'running'
      this.#running++
      return call
    }
    return null
  }

  /** A call that ran does so no longer. */
  ended(call: AsyncCall): void {
    this.#running--
    if (call.key !== null) this.#next(call.key)
  }

  /** Their record is done with, or has made others in their place: they are in nobody's way any more. */
  remove(calls: readonly AsyncCall[]): void {
    const gone = new Set(calls)
    for (const { key } of calls) {
      const queue = key === null ? undefined : this.#byKey.get(key)
      if (queue === undefined) continue
      const left = queue.filter((call) => !gone.has(call))
      if (left.length === 0) this.#byKey.delete(key!)
      else this.#byKey.set(key!, left)
      this.#next(key!)
    }
  }

  /** Lets the next call of a key begin, if it may. */
  #next(key: string): void {
    const calls = this.#byKey.get(key)
    const next = calls?.find(({ state }) => state !== 'settled')
    if (next?.state === 'waiting' && next.of === calls![0]!.of) this.#isReady(next)
  }

  #isReady(call: AsyncCall): void {
    call.state = 'ready'
    this.#ready.add(call)
  }
}

/** Behind those of the same record, and of the records before it. */
function placeOf({ of }: AsyncCall, calls: readonly AsyncCall[]): number {
  let place = calls.length
  while (place > 0 && calls[place - 1]!.of.sequence > of.sequence) place--
  return place
}
