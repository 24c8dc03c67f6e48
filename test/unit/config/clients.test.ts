import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { adminConfig, consumerConfig, producerConfig, restoreConfig } from '../../../src/config/clients.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { machine, minimal } from './machine-fixture.ts'

function load(environment: Environment = {}) {
  return loadConfig({ ...minimal, ...environment }, machine)
}

describe('the consumer', () => {
  test('leaves offsets to the runtime', () => {
    const settings = consumerConfig(load())
    assert.equal(settings['group.id'], 'app')
    assert.equal(settings['enable.auto.commit'], 'false')
    assert.equal(settings['enable.auto.offset.store'], 'false')
    assert.equal(settings['auto.offset.reset'], 'error')
    assert.equal(settings['partition.assignment.strategy'], 'range')
    assert.equal(settings['session.timeout.ms'], '45000')
    assert.equal(settings['heartbeat.interval.ms'], '3000')
    assert.equal(settings['queued.max.messages.kbytes'], undefined)
  })

  test('under KIP-848 sets nothing that librdkafka refuses', () => {
    const settings = consumerConfig(load({ WEIR_GROUP_PROTOCOL: 'consumer' }))
    assert.equal(settings['group.remote.assignor'], 'range')
    for (const name of [
      'session.timeout.ms',
      'heartbeat.interval.ms',
      'partition.assignment.strategy',
      'group.protocol.type',
    ]) {
      assert.ok(!(name in settings), name)
    }
  })

  test('divides the fetch memory by the partitions', () => {
    const config = load()
    const kibibytes = Number(consumerConfig(config, 8)['queued.max.messages.kbytes'])
    assert.ok(Math.abs(kibibytes * 8 * 1024 - config.memory.fetchQueueBytes) < 8 * 1024)
    assert.equal(consumerConfig(config, 1_000_000)['queued.max.messages.kbytes'], '64')
  })

  test('takes what is passed through', () => {
    const settings = consumerConfig(
      load({ WEIR_CONSUMER_FETCH_QUEUE_BACKOFF_MS: '77', WEIR_CONSUMER_CLIENT_RACK: 'a' }),
    )
    assert.equal(settings['fetch.queue.backoff.ms'], '77')
    assert.equal(settings['client.rack'], 'a')
  })
})

describe('a producer', () => {
  test('is idempotent, and its queues fit into the budget', () => {
    const config = load({ WEIR_NUM_STREAM_THREADS: '2' })
    const settings = producerConfig(config, 1)
    assert.equal(settings['client.id'], 'app-producer-1')
    assert.deepEqual(
      [settings['enable.idempotence'], settings.acks, settings.partitioner],
      ['true', 'all', 'murmur2_random'],
    )
    const bytes =
      1024 * Number(settings['queue.buffering.max.kbytes']) +
      320 * Number(settings['queue.buffering.max.messages'])
    assert.ok(bytes * 2 <= config.memory.producerQueueBytes, String(bytes))
  })

  test('has room for the largest record', () => {
    const settings = producerConfig(load({ WEIR_PRODUCER_MESSAGE_MAX_BYTES: '900000000' }), 0)
    assert.ok(1024 * Number(settings['queue.buffering.max.kbytes']) >= 900_000_000)
  })
})

test('a restore reads committed records to an end it is told of, whatever is passed through', () => {
  const settings = restoreConfig(load({ WEIR_CONSUMER_ISOLATION_LEVEL: 'read_uncommitted' }))
  assert.equal(settings['isolation.level'], 'read_committed')
  assert.equal(settings['enable.partition.eof'], 'true')
  assert.equal(settings['enable.auto.commit'], 'false')
})

test('every client connects the same way', () => {
  const config = load({ WEIR_SECURITY_PROTOCOL: 'ssl' })
  for (const settings of [
    consumerConfig(config),
    producerConfig(config, 0),
    adminConfig(config),
    restoreConfig(config),
  ]) {
    assert.equal(settings['bootstrap.servers'], 'localhost:9092')
    assert.equal(settings['security.protocol'], 'ssl')
    assert.equal(settings['ssl.ca.location'], 'probe')
  }
})
