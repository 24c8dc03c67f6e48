import { producerConfig, restoreConfig, restoreMemoryBytes } from '../config/clients.ts'
import { BatchPool } from '../consume/record-batch.ts'
import { Consumer, Producer, Restorer, StateMemory } from '../native.ts'
import type { ThreadMetricsSource } from '../observe/thread-metrics.ts'
import { OutputBatch } from '../produce/output-batch.ts'
import { CacheBudget } from '../state/cache-budget.ts'
import { OverlayWriter } from '../state/overlay-writer.ts'
import type { StreamThreadJob } from './protocol.ts'
import { stateMemoryOptions } from './state-memory-options.ts'

/** Batches a thread may hold for reading ahead, over all its partitions. */
const READ_AHEAD_BATCHES = 32
/** Records and bytes of output after which a task hands over to the producer. */
const OUTPUT_RECORDS_MAX = 8192
const OUTPUT_BYTES_MAX = 4 << 20

/**
 * What a stream thread opens for all its tasks: its producer, its hold on the process's consumer, state memory and restorer, and the budgets of
 * batches and caches. Closed when the tasks are.
 */
export class ThreadResources {
  readonly memory: StateMemory
  readonly restorer: Restorer
  readonly producer: Producer
  readonly consumer: Consumer
  readonly output: OutputBatch
  readonly pool: BatchPool
  readonly budget: CacheBudget
  readonly overlayWriter = new OverlayWriter()

  constructor({ config, threadIndex, processId, consumerId }: StreamThreadJob) {
    this.memory = StateMemory.acquire(stateMemoryOptions(config))
    this.restorer = Restorer.acquire(restoreConfig(config), config.restoreThreads, restoreMemoryBytes(config))
    this.producer = new Producer(producerConfig(config, threadIndex, processId))
    this.consumer = Consumer.attach(consumerId)
    this.output = new OutputBatch(this.producer, OUTPUT_RECORDS_MAX, OUTPUT_BYTES_MAX)
    this.pool = new BatchPool({
      capacity: config.batchRecordsMax,
      arenaBytes: config.batchBytesMax,
      readAheadMax: READ_AHEAD_BATCHES,
    })
    this.budget = new CacheBudget(config.memory.stateCacheBytes / config.streamThreadsMax)
  }

  /** Of the caches, for metrics. */
  cacheFigures(): ReturnType<ThreadMetricsSource['cache']> {
    const { caches, usedBytes, limitBytes } = this.budget
    let [entries, hits, misses] = [0, 0, 0]
    for (const cache of caches) {
      entries += cache.entries
      hits += cache.hits
      misses += cache.misses
    }
    return { bytes: usedBytes, limitBytes, entries, hits, misses }
  }

  /** Of the producer's queue, for metrics. */
  producerQueue(): ReturnType<ThreadMetricsSource['producerQueue']> {
    const { queuedRecords, queuedBytes } = this.producer.stats()
    return { records: queuedRecords, bytes: queuedBytes }
  }

  async close(): Promise<void> {
    this.consumer.detach()
    await this.producer.close()
    this.restorer.close()
    this.memory.close()
  }
}
