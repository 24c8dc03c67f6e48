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
    const input = new PartitionInput(reader, pool, { records: 0, bytes: 0 }, start)
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
