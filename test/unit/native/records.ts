/** Records for tests of the native clients, over the batches that the runtime uses. */
import { RecordBatch } from '../../../src/consume/record-batch.ts'
import type { Consumer, Producer } from '../../../src/native.ts'
import { Headers } from '../../../src/process/headers.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import { serdes } from '../../../src/serde/serdes.ts'

export interface TestRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

export function numbered(count: number, from = 0): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${from + index}`,
    value: `value-${from + index}`,
    timestamp: 1 + from + index,
    headers: [],
  }))
}

/** Produces and waits until all is delivered. */
export async function produceAll(
  producer: Producer,
  topic: number,
  partition: number,
  records: readonly TestRecord[],
): Promise<void> {
  const batch = new OutputBatch(producer, records.length, 1 << 30)
  for (const { key, value, timestamp, headers } of records) {
    const encoded = new Headers(
      headers.map((header) => ({
        key: header.key,
        value: header.value === null ? null : Buffer.from(header.value),
      })),
    )
    batch.add(topic, partition, serdes.string, key, serdes.string, value, timestamp, encoded)
  }
  await batch.sendAll()
  await producer.flush(30_000)
}

/** What one poll of a slot brings. */
export function pollRecords(
  consumer: Consumer,
  slot: number,
  capacity = 100,
): (TestRecord & { offset: number })[] {
  const batch = new RecordBatch(capacity, 1 << 16)
  const count = consumer.poll(slot, batch.arena, batch.columns, batch.capacity)
  const text = (start: Int32Array, length: Int32Array, index: number) =>
    length[index]! < 0 ? null : batch.arena.toString('utf8', start[index]!, start[index]! + length[index]!)
  return Array.from({ length: Math.max(count, 0) }, (_, index) => ({
    offset: batch.offset[index]!,
    timestamp: batch.timestamp[index]!,
    key: text(batch.keyStart, batch.keyLength, index),
    value: text(batch.valueStart, batch.valueLength, index),
    headers:
      batch.headersLength[index]! < 0
        ? []
        : [...Headers.decode(batch.arena, batch.headersStart[index]!)].map(({ key, value }) => ({
            key,
            value: value === null ? null : value.toString(),
          })),
  }))
}

/** Reads until `count` records have come, sleeping only until the consumer says that there are more.
 * @param ready what onReady's callback resolves */
export async function readRecords(
  consumer: Consumer,
  slot: number,
  count: number,
  ready: () => Promise<void>,
): Promise<(TestRecord & { offset: number })[]> {
  const records: (TestRecord & { offset: number })[] = []
  while (records.length < count) {
    const found = pollRecords(consumer, slot)
    records.push(...found)
    if (found.length === 0) await ready()
  }
  return records
}

/** Registers onReady. @returns a function that waits for the next call, or for one that came since the last wait */
export function readySignal(consumer: Consumer): () => Promise<void> {
  let called = false
  let wake: (() => void) | null = null
  consumer.onReady(() => {
    called = true
    wake?.()
  })
  return async () => {
    // A wait keeps the event loop alive, which the consumer alone does not.
    const alive = setInterval(() => {}, 60_000)
    while (!called) await new Promise<void>((resolve) => (wake = resolve))
    clearInterval(alive)
    called = false
    wake = null
  }
}
