import { restoreConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { messageOf } from '../errors/weir-error.ts'
import { CONSUME_COLUMNS, Consumer, type ConsumerEvent, type TopicPartition } from '../native.ts'
import type { Logger } from '../runtime/logger.ts'
import { partitionKey } from '../runtime/task-inputs.ts'

/** Without a wake-up, one may have come before it was waited for. */
const POLL_MS = 50
const ARENA_BYTES = 64 * 1024
/** One record. */
const COLUMN_BYTES = CONSUME_COLUMNS.float64.length * 8 + CONSUME_COLUMNS.int32.length * 4
const TIMESTAMP = CONSUME_COLUMNS.float64.indexOf('timestamp')

export interface FirstRecord extends TopicPartition {
  /** The first that is of interest. */
  readonly offset: number
  /** There is none from here on. */
  readonly end: number
}

export interface FirstTimesOptions {
  readonly config: Config
  readonly isolation: 'read_committed' | 'read_uncommitted'
  readonly logger: Logger
  /** What has not come by then is not known. */
  readonly timeoutMs: number
}

/**
 * The timestamps of the first records from an offset on, ms since 1970, by partitionKey: read outside of any group, one record of each partition. Absent where
 * none is visible before the end (aborted ones, markers), none came in time, or the broker refuses.
 */
export async function firstTimes(
  records: readonly FirstRecord[],
  options: FirstTimesOptions,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  if (records.length === 0) return times
  const { config, isolation, logger, timeoutMs } = options
  let isRefused = false
  const refused = (error: unknown): void => {
    if (!isRefused) logger.warn({ reason: messageOf(error) }, 'the timestamps of some records cannot be read')
    isRefused = true
  }
  const told = (event: ConsumerEvent): void => {
    if (event.type === 'error' && !event.error.retriable) refused(event.error)
  }
  const consumer = new Consumer(settings(config, isolation), told)
  const reader = Consumer.attach(consumer.id)
  let wakeUp = (): void => {}
  reader.onReady(() => wakeUp())
  try {
    consumer.assign(records)
    const columns = new ArrayBuffer(COLUMN_BYTES)
    let arena = Buffer.allocUnsafe(ARENA_BYTES)
    /** @returns true when the partition has said what there is */
    const read = ({ slot, record }: { slot: number; record: FirstRecord }): boolean => {
      try {
        let count = reader.poll(slot, arena, columns, 1)
        if (count < 0) {
          arena = Buffer.allocUnsafe(-count)
          count = reader.poll(slot, arena, columns, 1)
        }
        if (count > 0) times.set(partitionKey(record), new Float64Array(columns, 0, 2)[TIMESTAMP]!)
        return count > 0 || reader.position(slot) >= record.end
      } catch (error) {
        refused(error)
        return true
      }
    }
    let open = records.map((record) => ({
      record,
      slot: reader.open(record.topic, record.partition, record.offset),
    }))
    const deadlineMs = performance.now() + timeoutMs
    for (;;) {
      open = open.filter((one) => !read(one))
      if (open.length === 0 || performance.now() >= deadlineMs) return times
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS)
        wakeUp = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  } finally {
    reader.detach()
    await consumer.close()
  }
}

/** A record of each partition is all that is wanted. */
function settings(config: Config, isolation: string): Record<string, string> {
  return {
    ...restoreConfig(config),
    'client.id': `${config.clientId}-lag`,
    'isolation.level': isolation,
    'queued.min.messages': '1',
    'fetch.message.max.bytes': String(ARENA_BYTES),
    'fetch.wait.max.ms': '50',
  }
}
