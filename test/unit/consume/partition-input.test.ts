import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { PartitionInput, type PartitionReader } from '../../../src/consume/partition-input.ts'
import { BatchPool } from '../../../src/consume/record-batch.ts'
import { Consumer, MockCluster } from '../../../src/native.ts'

const fetchRequest = 1

test('an input is behind until the broker has said where it ends', async () => {
  const cluster = new MockCluster({ brokers: 1 })
  cluster.createTopic('empty', 1)
  // The first answers are errors: for a while nobody knows what the partition holds.
  cluster.injectErrors(fetchRequest, ['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT'])
  const consumer = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': 'inputs',
      'enable.auto.commit': 'false',
      'enable.auto.offset.store': 'false',
      'enable.partition.eof': 'true',
      'auto.offset.reset': 'error',
    },
    () => {},
  )
  const reader = Consumer.attach(consumer.id)
  try {
    consumer.assign([{ topic: 'empty', partition: 0, offset: 0 }])
    const pool = new BatchPool({ capacity: 10, arenaBytes: 1_000, readAheadMax: 2 })
    const start = { topic: 'empty', partition: 0, offset: 0, partitionTimeMs: -1 }
    let asked = 0
    const counted: PartitionReader = {
      open: (...place) => reader.open(...place),
      poll: (...into) => reader.poll(...into),
      closeSlot: (slot) => reader.closeSlot(slot),
      position: (slot) => reader.position(slot),
      watermarks(slot) {
        asked++
        return reader.watermarks(slot)
      },
    }
    const input = new PartitionInput(counted, pool, { records: 0, bytes: 0 }, start)
    input.open()
    assert.equal(input.isBehind, true)
    assert.equal(input.lag, 0)

    const deadline = Date.now() + 20_000
    while (input.isBehind) {
      assert.ok(Date.now() < deadline, 'still behind at the end of an empty partition')
      assert.equal(input.readAhead(), null)
      await sleep(10)
    }
    assert.equal(input.lag, 0)
    asked = 0
    for (let time = 0; time < 3; time++) {
      assert.equal(input.readAhead(), null)
      for (let record = 0; record < 100; record++) assert.equal(input.isBehind, false)
    }
    assert.equal(asked, 3, 'once for each look ahead')
    input.close()
  } finally {
    reader.detach()
    await consumer.close()
    cluster.close()
  }
})

test('nothing more comes of a topic that was deleted, where that may be; elsewhere it is an error', () => {
  const missing = Object.assign(new Error('topic t does not exist'), { code: 'kafka:UNKNOWN_TOPIC_OR_PART' })
  let error: Error | null = null
  const reader: PartitionReader = {
    open: () => 0,
    poll() {
      if (error !== null) throw error
      return 0
    },
    closeSlot() {},
    position: () => 5,
    watermarks: () => [0, 9],
  }
  const pool = new BatchPool({ capacity: 10, arenaBytes: 1_000, readAheadMax: 2 })
  const start = { topic: 't', partition: 0, offset: 5, partitionTimeMs: -1 }
  const [lasting, passing] = [false, true].map(
    (mayGo) => new PartitionInput(reader, pool, { records: 0, bytes: 0 }, { ...start, mayGo }),
  )
  for (const input of [lasting!, passing!]) {
    input.open()
    assert.equal(input.readAhead(), null)
    assert.equal(input.isBehind, true)
  }
  error = missing
  assert.throws(() => lasting!.readAhead(), missing)
  assert.equal(passing!.readAhead(), null)
  assert.equal(passing!.isBehind, false, 'its records are not waited for')
  assert.equal(passing!.position, 5)
  error = Object.assign(new Error('out of range'), { code: 'kafka:_AUTO_OFFSET_RESET' })
  assert.throws(() => passing!.readAhead(), error)
})

test('the position stays at the first record that is held, with the partition time before it', () => {
  const timestamps = [10, 30, 20, 40]
  let position = 5
  const reader: PartitionReader = {
    open: (_topic, _partition, offset) => {
      position = offset
      return 0
    },
    poll(_slot, _arena, columns, capacity) {
      const left = timestamps.slice(position - 5, position - 3)
      const float64 = new Float64Array(columns, 0, 2 * capacity)
      for (const [index, timestamp] of left.entries()) {
        float64[index] = position++
        float64[capacity + index] = timestamp
      }
      new Int32Array(columns, float64.byteLength, 6 * capacity).fill(-1)
      return left.length
    },
    closeSlot() {},
    position: () => position,
    watermarks: () => [0, 9],
  }
  const pool = new BatchPool({ capacity: 2, arenaBytes: 1_000, readAheadMax: 4 })
  const start = { topic: 't', partition: 0, offset: 5, partitionTimeMs: 7 }
  const input = new PartitionInput(reader, pool, { records: 0, bytes: 0 }, start)
  const take = (count: number): void => {
    for (; count > 0; count--) {
      if (!input.hasRecord) {
        input.readAhead()
        input.nextReady = true
        input.advance()
      }
      input.hold()
      input.partitionTimeMs = Math.max(input.partitionTimeMs, input.headTimestamp)
      input.step()
    }
  }
  input.open()
  take(4)
  assert.deepEqual([input.position, input.positionTimeMs, input.partitionTimeMs], [5, 7, 40])
  assert.equal(input.hasMoved, false)
  assert.equal(input.lag, 4)
  assert.equal(input.isBehind, false, 'all that the broker has was read')
  input.release()
  input.release()
  assert.deepEqual([input.position, input.positionTimeMs], [7, 30])
  assert.equal(input.hasMoved, true)
  input.commitDone()
  input.release()
  assert.deepEqual([input.position, input.positionTimeMs], [8, 30])

  // What is held is given back, and read again.
  input.close()
  input.open()
  assert.equal(position, 8)
  assert.equal(input.partitionTimeMs, 30)
  take(1)
  input.release()
  assert.deepEqual([input.position, input.positionTimeMs, input.hasMoved], [9, 40, true])
})
