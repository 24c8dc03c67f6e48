/** A worker of shared-consumer.ts: tells the offsets that it reads of one partition, and ends after `readMax` records. */
import { parentPort, workerData } from 'node:worker_threads'

import { Consumer } from '../../../../src/native.ts'
import { pollRecords, readySignal } from '../records.ts'

export interface ReaderData {
  readonly consumerId: number
  readonly partition: number
  readonly offset: number
  readonly readMax: number
}

const { consumerId, partition, offset, readMax } = workerData as ReaderData
const consumer = Consumer.attach(consumerId)
const ready = readySignal(consumer)
const slot = consumer.open('in', partition, offset)
let read = 0
while (read < readMax) {
  const records = pollRecords(consumer, slot, Math.min(10, readMax - read))
  if (records.length === 0) {
    await ready()
    continue
  }
  read += records.length
  parentPort?.postMessage(records.map((record) => record.offset))
}
// Half of them leave it to the end of their thread.
if (offset % 2 === 0) consumer.detach()
