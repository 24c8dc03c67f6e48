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
import { Channel, deserializeError, type Handlers } from './channel.ts'
import type {
  MainRequests,
  SchemaRequests,
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
  readonly schemas: Handlers<SchemaRequests>
  notice(thread: StreamThreadHandle, notice: ThreadNotice): void
}

/** A stream thread as the main thread sees it. */
export class StreamThreadHandle {
  readonly index: number
  /** Commits that the main thread is making for it: it waits for them, and its counter may stand still. */
  openCommits = 0
  /** Resolves when the thread was stopped; rejects with the WeirError that ended it. */
  readonly ended: Promise<void>
  /** Resolves when the thread has ended in any way, or was abandoned: it answers no more, and what it had open is closed unless it was abandoned. */
  readonly gone: Promise<void>
  readonly #channel: Channel<ThreadRequests, MainRequests, ThreadNotice>
  readonly #gone = Promise.withResolvers<void>()
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
      ...listener.schemas,
    }
    this.#channel = new Channel<ThreadRequests, MainRequests, ThreadNotice>(port, handlers, (notice) => {
      if (notice.type === 'failed') this.#told = toldError(notice.error, index)
      listener.notice(this, notice)
    })
    this.gone = this.#gone.promise
    this.ended = this.#end(job).finally(() => {
      listener.ended(this)
      this.#gone.resolve()
    })
    // Whoever awaits it later still learns it.
    this.ended.catch(() => {})
  }

  request<K extends keyof ThreadRequests>(
    name: K,
    body: ThreadRequests[K]['request'],
  ): Promise<ThreadRequests[K]['response']> {
    return this.#channel.request(name, body as never) as Promise<ThreadRequests[K]['response']>
  }

  /** It waits for the main thread, which knows why. */
  isWaiting(): boolean {
    return this.openCommits > 0
  }

  /** Says no more to the thread and hears no more of it: it stands still, and nobody may wait for its answers. */
  abandon(): void {
    this.#channel.close()
    this.#gone.resolve()
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

/** What is the same for every stream thread. */
export type ThreadPoolJob = Omit<StreamThreadJob, 'threadIndex' | 'config'>

/**
 * The workers of the process's stream threads: each has one job, which lasts as long as the thread. Main thread.
 *
 * Each is a pool of one: a thread that takes a failed one's place gets a worker of its own, without what user code has left in the old one, and
 * that of a removed thread ends. Piscina would start another worker in place of one that crashed and leave it idle, and `destroy` would end threads in
 * the middle of native calls: so a thread's end is told to whoever holds the pool, and its worker is closed when the job has ended.
 */
export class ThreadPool {
  readonly #config: Config
  readonly #listener: StreamThreadListener
  readonly #onError: (error: unknown) => void
  #job: ThreadPoolJob
  readonly #workers = new Map<StreamThreadHandle, Piscina<StreamThreadJob & { port: MessagePort }, void>>()
  /** Threads that load their code. */
  readonly #loading = new Set<StreamThreadHandle>()

  /** @param onError a worker's error outside its job */
  constructor(
    config: Config,
    job: ThreadPoolJob,
    listener: StreamThreadListener,
    onError: (error: unknown) => void,
  ) {
    this.#config = config
    this.#job = job
    this.#listener = listener
    this.#onError = onError
  }

  /** Starts a thread. REQUIRES an index below WEIR_STREAM_THREADS_MAX under which none runs. */
  start(threadIndex: number): StreamThreadHandle {
    const { streamThreadsMax, memory, shutdownTimeoutMs } = this.#config
    const heapBytes = memory.heapBytesPerThread + memory.stateCacheBytes / streamThreadsMax
    const worker = new Piscina<StreamThreadJob & { port: MessagePort }, void>({
      filename: jobFile,
      minThreads: 1,
      maxThreads: 1,
      // Any other way of waiting for a job would block the thread's event loop.
      atomics: 'disabled',
      closeTimeout: shutdownTimeoutMs,
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(heapBytes / MiB),
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB,
      },
    })
    worker.on('error', this.#onError)
    const { port1, port2 } = new MessageChannel()
    const job = { ...this.#job, config: this.#config, threadIndex, port: port2 }
    const thread = new StreamThreadHandle(
      threadIndex,
      port1,
      this.#listener,
      worker.run(job, { transferList: [port2] }),
    )
    this.#workers.set(thread, worker)
    this.#loading.add(thread)
    void thread
      .request('loaded', {})
      .catch(() => {})
      .then(() => this.#onLoaded(thread))
    return thread
  }

  /** Threads that are started from now on may read and write these topics. */
  learnTopics(topics: StreamThreadJob['topics']): void {
    this.#job = { ...this.#job, topics }
  }

  /**
   * Lets heaps grow once no thread loads code: what was compiled before, Node's own modules included, V8 takes only under the flags that it was compiled
   * with, and a thread that has to compile all of it starts with a quarter more CPU time.
   */
  #onLoaded(thread: StreamThreadHandle): void {
    this.#loading.delete(thread)
    if (this.#loading.size === 0) v8.setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)
  }

  /** Ends the worker of a thread. REQUIRES that the thread has ended; otherwise it is waited for as long as a stop may take. */
  async end(thread: StreamThreadHandle): Promise<void> {
    const worker = this.#workers.get(thread)
    this.#workers.delete(thread)
    await worker?.close()
  }

  /** The same for every thread. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#workers.keys()].map((thread) => this.end(thread)))
  }
}
