import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import { CassandraSession } from '../../../src/cassandra/session.ts'
import { configFrom } from '../../../src/config/load.ts'
import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { CassandraHealth } from '../../../src/runtime/cassandra-health.ts'
import { prepareCassandra } from '../../../src/runtime/prepare-cassandra.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { freePorts } from '../../services/ports.ts'

const topology = defineTopology((builder) => {
  builder
    .stream('names', { key: serdes.string, value: serdes.string })
    .to(cassandra.table({ name: 'names', partitionKey: { name: 'text' } }))
}).build()

async function settings() {
  const [port] = await freePorts(1)
  return configFrom({
    applicationId: 'a',
    bootstrapServers: 'none:1',
    cassandraContactPoints: `127.0.0.1:${port}`,
    cassandraLocalDatacenter: 'dc1',
    cassandraKeyspace: 'shop',
  })
}

function logged() {
  const lines: string[] = []
  const log = (_: object, message: string): void => {
    lines.push(message)
  }
  return { lines, logger: { debug: log, info: log, warn: log, error: log } }
}

describe('Cassandra at the start', () => {
  test('nobody answers: it is waited for, told once, and given up in one line', async () => {
    const { lines, logger } = logged()
    const config = await settings()
    const signal = new AbortController().signal
    await assert.rejects(prepareCassandra(topology, { config, logger, signal, timeoutMs: 500 }), {
      code: 'cassandra-unreachable',
      message:
        /^Cassandra at 127\.0\.0\.1:\d+ \(WEIR_CASSANDRA_CONTACT_POINTS\) does not answer: no node answers: 127\.0\.0\.1:\d+: connect ECONNREFUSED/,
    })
    assert.deepEqual(lines, ['Cassandra does not answer yet; trying again'])
  })

  test('a stop ends the waiting', async () => {
    const config = await settings()
    const stop = new AbortController()
    const { logger } = logged()
    const options = { config, logger, signal: stop.signal, timeoutMs: 600_000 }
    const preparing = prepareCassandra(topology, options)
    stop.abort(new Error('stopped'))
    await assert.rejects(preparing, /^Error: stopped$/)
  })

  test('a certificate that cannot be read', async () => {
    const config = configFrom({
      applicationId: 'a',
      bootstrapServers: 'none:1',
      cassandraContactPoints: '127.0.0.1',
      cassandraSsl: 'true',
      cassandraSslCaLocation: '/none.pem',
    })
    await assert.rejects(CassandraSession.open(config.cassandra), {
      message: /^WEIR_CASSANDRA_SSL_CA_LOCATION=\/none\.pem: cannot be read: ENOENT/,
    })
  })
})

test('threads that wait for Cassandra are told of, until they do not', () => {
  const { lines, logger } = logged()
  const health = new CassandraHealth(logger)
  assert.equal(health.problem(), null)
  health.told(0, 'no node answers')
  health.told(1, 'no node answers')
  health.told(0, 'no node answers')
  assert.match(health.problem()!, /^Cassandra has not answered stream thread \d for \d+ s: no node answers$/)
  health.told(0, null)
  assert.match(health.problem()!, /stream thread 1/)
  // It has ended.
  health.forget(1)
  health.told(1, null)
  assert.equal(health.problem(), null)
  const away = 'Cassandra does not answer: rows wait, and their tasks commit nothing'
  assert.deepEqual(lines, [away, away, 'Cassandra answers again'])
})
