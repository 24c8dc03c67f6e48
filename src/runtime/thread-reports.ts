import type { MetricSnapshot } from '../observe/metric-set.ts'
import type { ThreadStatus } from './protocol.ts'
import type { StreamThreadHandle } from './thread-pool.ts'

/** A thread is asked no longer than this: it may be in the middle of a large batch, or stuck. */
const ANSWER_TIMEOUT_MS = 2_000

/** What a thread does. */
export interface ThreadReport extends ThreadStatus {
  /** False when the thread did not answer in time: the figures are its last ones. */
  readonly isResponding: boolean
}

/** Asks the stream threads how they are, and remembers what each said last. Main thread. */
export class ThreadReports {
  readonly #threads: () => readonly StreamThreadHandle[]
  readonly #last = new WeakMap<StreamThreadHandle, ThreadStatus>()

  /** @param threads those that there are at the moment */
  constructor(threads: () => readonly StreamThreadHandle[]) {
    this.#threads = threads
  }

  /** One report for each thread, in their order. */
  status(): Promise<ThreadReport[]> {
    return Promise.all(
      this.#threads().map(async (thread) => {
        const answer = await withinTime(thread.request('status', {}))
        if (answer !== null) this.#last.set(thread, answer)
        return { ...(this.#last.get(thread) ?? unknown(thread)), isResponding: answer !== null }
      }),
    )
  }

  /** The metrics of the threads that answer. */
  async metrics(): Promise<MetricSnapshot[]> {
    const answers = await Promise.all(
      this.#threads().map((thread) => withinTime(thread.request('metrics', {}) as Promise<MetricSnapshot>)),
    )
    return answers.filter((snapshot) => snapshot !== null)
  }
}

/** Of a thread that has never answered. */
function unknown({ index }: StreamThreadHandle): ThreadStatus {
  return { threadIndex: index, recordsProcessed: 0, recordsProduced: 0, tasks: [] }
}

/** @returns null when there is no answer in time, or no thread any more */
export async function withinTime<T>(answer: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_TIMEOUT_MS)
  })
  try {
    return await Promise.race([answer, late])
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}
