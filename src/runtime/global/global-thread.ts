import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'

import { isErrorCode } from '../../errors/codes.ts'
import { namedError } from '../../errors/named-error.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import type { MetricSnapshot } from '../../observe/metric-set.ts'
import { Channel, deserializeError, type Handlers } from '../channel.ts'
import type { Logger } from '../logger.ts'
import type { SchemaRequests } from '../protocol.ts'
import { withinTime } from '../thread-reports.ts'
import type {
  GlobalStoresHandle,
  GlobalThreadJob,
  GlobalThreadNotice,
  GlobalThreadRequests,
} from './protocol.ts'

const MiB = 2 ** 20
/** The job beside this file, in the sources as in the package. */
const jobFile = new URL(`./global-thread-job${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url)

/** The process's global thread as the main thread sees it. */
export class GlobalThread {
  /** Resolves when the stores are filled; rejects when the thread ends before. */
  readonly ready: Promise<GlobalStoresHandle>
  /** Resolves when the thread was stopped; rejects with the WeirError that ended it. */
  readonly ended: Promise<void>
  readonly #channel: Channel<GlobalThreadRequests, SchemaRequests, GlobalThreadNotice>
  #stopping = false

  /** Starts the thread. @param schemas answers what it asks the schema registry */
  constructor(job: Omit<GlobalThreadJob, 'version'>, logger: Logger, schemas: Handlers<SchemaRequests>) {
    const version = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const { port1, port2 } = new MessageChannel()
    const startedMs = performance.now()
    const ready = Promise.withResolvers<GlobalStoresHandle>()
    const ended = Promise.withResolvers<void>()
    let told: WeirError | null = null
    this.#channel = new Channel<GlobalThreadRequests, SchemaRequests, GlobalThreadNotice>(
      port1,
      schemas,
      (notice) => {
        if (notice.type === 'failed') {
          const error = deserializeError(notice.error)
          told = isErrorCode(error.code)
            ? new WeirError(error.code, error.message, { cause: error })
            : namedError(error, 'the global thread')
        } else if (notice.type === 'ready') {
          const { databaseId, records } = notice
          const durationMs = Math.round(performance.now() - startedMs)
          logger.info({ records, durationMs }, 'the global stores are filled')
          ready.resolve({ databaseId, version })
        } else {
          logger[notice.level]({ thread: 'global', ...notice.fields }, notice.message)
        }
      },
    )
    const worker = new Worker(jobFile, {
      workerData: { ...job, version, port: port2 },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(job.config.memory.heapBytesPerThread / MiB) },
    })
    worker.on('error', (error) => {
      told ??= new WeirError('thread-ended', `the global thread: ${messageOf(error)}`, { cause: error })
    })
    worker.on('exit', async () => {
      await this.#channel.closed
      if (told === null && !this.#stopping)
        told = new WeirError('thread-ended', 'the global thread ended by itself')
      ready.reject(told ?? new WeirError('closed', 'the global thread ends'))
      if (told === null) ended.resolve()
      else ended.reject(told)
    })
    this.ready = ready.promise
    this.ended = ended.promise
    // Whoever awaits them later still learns it.
    this.ready.catch(() => {})
    this.ended.catch(() => {})
  }

  /** Commits, closes the stores and ends the thread; a failure is told by `ended` alone. REQUIRES for a prompt end of RocksDB that the stream threads have ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#channel.request('stop', {}).catch(() => {})
    await this.ended.catch(() => {})
  }

  /** The thread's metrics; null when it does not answer soon. */
  metrics(): Promise<MetricSnapshot | null> {
    return withinTime(this.#channel.request('metrics', {}) as Promise<MetricSnapshot>)
  }
}
