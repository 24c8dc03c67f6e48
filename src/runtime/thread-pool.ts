import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import { MessageChannel, type MessagePort } from 'node:worker_threads'

import { Piscina } from 'piscina'

import type { Config } from '../config/config.ts'
import { isErrorCode } from '../errors/codes.ts'
import { namedError } from '../errors/named-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Channel, deserializeError } from './channel.ts'
import type {
  MainRequests,
  SerializedError,
  StreamThreadJob,
  ThreadNotice,
  ThreadRequests,
} from './protocol.ts'

const MiB = 2 ** 20
/** The job beside this file, in the sources as in the package. */
const jobFile = fileURLToPath(
  new URL(`./stream-thread-job${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url),
)
/**
 * A heap grows to twice what was alive before V8 marks it again, or to its limit. V8's own factor for a heap of a few hundred MiB is about 1.3,
 * which is meant for phones: a thread would mark its cache once a second.
 */
const HEAP_GROWING_PERCENT = 100
/**
 * Two thirds of it are in use at a time. V8's own choice is four times as much, which no budget counts and which is not faster: the less
 * the young generation may bring into the heap, the later is the heap marked.
 */
const YOUNG_GENERATION_MIB = 48
/** How long a failed thread's last words may be on their way. */
const LAST_WORDS_MS = 1_000

/** What a stream thread asks for and tells. */
export interface StreamThreadListener {
  commit(request: MainRequests['commit']['request']): Promise<void>
  confirm(request: MainRequests['confirm']['request']): Promise<void>
  beginCommit(
    thread: StreamThreadHandle,
    request: MainRequests['begin-commit']['request'],
  ): MainRequests['begin-commit']['response']
  endCommit(request: MainRequests['end-commit']['request']): void
  /** It commits nothing any more. */
  ended(thread: StreamThreadHandle): void
  notice(thread: StreamThreadHandle, notice: ThreadNotice): void
}

/** A stream thread as the main thread sees it. */
export class StreamThreadHandle {
  readonly index: number
  /** Commits that the main thread is making for it: it waits for them, and its counter may stand still. */
  openCommits = 0
  /** Resolves when the thread was stopped; rejects with the WeirError that ended it. */
  readonly ended: Promise<void>
  readonly #channel: Channel<ThreadRequests, MainRequests, ThreadNotice>
  /** What the thread said ended it. */
  #told: WeirError | null = null

  /** @param job settles when the thread has ended */
  constructor(index: number, port: MessagePort, listener: StreamThreadListener, job: Promise<void>) {
    this.index = index
    const waitedFor = async (answer: Promise<void>): Promise<void> => {
      this.openCommits++
      try {
        await answer
      } finally {
        this.openCommits--
      }
    }
    const handlers = {
      commit: (request: MainRequests['commit']['request']) => waitedFor(listener.commit(request)),
      confirm: (request: MainRequests['confirm']['request']) => waitedFor(listener.confirm(request)),
      'begin-commit': (request: MainRequests['begin-commit']['request']) =>
        listener.beginCommit(this, request),
      'end-commit': (request: MainRequests['end-commit']['request']) => listener.endCommit(request),
    }
    this.#channel = new Channel<ThreadRequests, MainRequests, ThreadNotice>(port, handlers, (notice) => {
      if (notice.type === 'failed') this.#told = toldError(notice.error, index)
      listener.notice(this, notice)
    })
    this.ended = this.#end(job).finally(() => listener.ended(this))
    // Whoever awaits it later still learns it.
    this.ended.catch(() => {})
  }

  request<K extends keyof ThreadRequests>(
    name: K,
    body: ThreadRequests[K]['request'],
  ): Promise<ThreadRequests[K]['response']> {
    return this.#channel.request(name, body as never) as Promise<ThreadRequests[K]['response']>
  }

  /** Says no more to the thread and hears no more of it: it stands still, and nobody may wait for its answers. */
  abandon(): void {
    this.#channel.close()
  }

  async #end(job: Promise<void>): Promise<void> {
    try {
      await job
    } catch (error) {
      // What the thread told keeps its code; the job's rejection comes on another port and has lost it.
      await Promise.race([this.#channel.closed, delay(LAST_WORDS_MS)])
      throw this.#told ?? untoldError(error, this.index)
    } finally {
      this.#channel.close()
    }
  }
}

function toldError(told: SerializedError, index: number): WeirError {
  const error = deserializeError(told)
  if (isErrorCode(error.code)) return new WeirError(error.code, error.message, { cause: error })
  return namedError(error, `stream thread ${index}`)
}

/** The worker went down with its thread, or could not begin it. */
function untoldError(error: unknown, index: number): WeirError {
  const why =
    (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? 'it needed more heap than its part of WEIR_MEMORY_BYTES; raise that, or keep less outside of stores'
      : messageOf(error)
  return new WeirError('thread-ended', `stream thread ${index}: ${why}`, { cause: error })
}

/**
 * The process's stream threads: as many workers as threads, each with one job that lasts as long as the application.
 *
 * Piscina would start another worker in place of one that crashed and leave it idle, and `destroy` would end threads in the middle of native
 * calls: so a thread's end is told to whoever holds the pool, and the pool is closed when the jobs have ended.
 */
export class ThreadPool {
  readonly threads: readonly StreamThreadHandle[]
  readonly #pool: Piscina<StreamThreadJob & { port: MessagePort }, void>

  /** Starts the threads. @param onError a worker's error outside its job */
  constructor(
    config: Config,
    job: Omit<StreamThreadJob, 'threadIndex' | 'config'>,
    listener: StreamThreadListener,
    onError: (error: unknown) => void,
  ) {
    const { numStreamThreads, memory, shutdownTimeoutMs } = config
    v8.setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)
    const heapBytes = memory.heapBytesPerThread + memory.stateCacheBytes / numStreamThreads
    this.#pool = new Piscina({
      filename: jobFile,
      minThreads: numStreamThreads,
      maxThreads: numStreamThreads,
      // Any other way of waiting for a job would block the thread's event loop.
      atomics: 'disabled',
      closeTimeout: shutdownTimeoutMs,
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(heapBytes / MiB),
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB,
      },
    })
    this.#pool.on('error', onError)
    this.threads = Array.from({ length: numStreamThreads }, (_, threadIndex) => {
      const { port1, port2 } = new MessageChannel()
      const run = this.#pool.run({ ...job, config, threadIndex, port: port2 }, { transferList: [port2] })
      return new StreamThreadHandle(threadIndex, port1, listener, run)
    })
  }

  /** Ends the workers. REQUIRES that every thread has ended; one that has not is waited for as long as a stop may take. */
  async close(): Promise<void> {
    await this.#pool.close()
  }
}
