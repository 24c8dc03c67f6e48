import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { machine, minimal } from './machine-fixture.ts'

const load = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ ...minimal, ...environment }, machine).cassandra

const connection = {
  WEIR_CASSANDRA_CONTACT_POINTS: '10.0.0.1, node-2:9142,[::1]:9042',
  WEIR_CASSANDRA_LOCAL_DATACENTER: 'dc 1',
  WEIR_CASSANDRA_KEYSPACE: 'Shop_1',
}

describe('settings of Cassandra', () => {
  test('what is given, and the defaults', () => {
    assert.deepEqual(load(connection), {
      contactPoints: ['10.0.0.1', 'node-2:9142', '[::1]:9042'],
      localDatacenter: 'dc 1',
      keyspace: 'Shop_1',
      username: null,
      password: null,
      ssl: null,
      writeConsistency: 'LOCAL_QUORUM',
      readConsistency: 'LOCAL_QUORUM',
      requestTimeoutMs: 10_000,
      requestsMax: 128,
      queueBytes: 4 * 2 ** 20,
    })
    assert.deepEqual(load({}).contactPoints, [])
  })

  test('TLS, credentials, consistency', () => {
    const settings = load({
      ...connection,
      WEIR_CASSANDRA_USERNAME: 'weir',
      WEIR_CASSANDRA_PASSWORD: 'secret',
      WEIR_CASSANDRA_SSL: 'true',
      WEIR_CASSANDRA_SSL_CA_LOCATION: '/ca.pem',
      WEIR_CASSANDRA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: 'none',
      WEIR_CASSANDRA_WRITE_CONSISTENCY: 'each_quorum',
    })
    assert.deepEqual(settings.ssl, {
      caLocation: '/ca.pem',
      certificateLocation: null,
      keyLocation: null,
      keyPassword: null,
      checksHostname: false,
    })
    assert.deepEqual(
      [settings.username, settings.password, settings.writeConsistency],
      ['weir', 'secret', 'EACH_QUORUM'],
    )
    assert.equal(load({ ...connection, WEIR_CASSANDRA_SSL: 'true' }).ssl?.checksHostname, true)
  })

  const wrong: readonly (readonly [
    environment: Readonly<Record<string, string>>,
    problems: readonly string[],
  ])[] = [
    [
      { WEIR_CASSANDRA_CONTACT_POINTS: 'a b' },
      ['WEIR_CASSANDRA_CONTACT_POINTS=a b: expected host or host:port, several separated by commas'],
    ],
    [
      { WEIR_CASSANDRA_KEYSPACE: 'my-shop' },
      [
        'WEIR_CASSANDRA_KEYSPACE=my-shop: expected up to 48 letters, digits and underscores, upper and lower case as Cassandra shows it',
      ],
    ],
    [
      { WEIR_CASSANDRA_USERNAME: 'weir', WEIR_CASSANDRA_PASSWORD: 'secret' },
      [
        'WEIR_CASSANDRA_USERNAME=weir: only with WEIR_CASSANDRA_CONTACT_POINTS',
        'WEIR_CASSANDRA_PASSWORD=(hidden): only with WEIR_CASSANDRA_CONTACT_POINTS',
      ],
    ],
    [
      { ...connection, WEIR_CASSANDRA_USERNAME: 'weir' },
      ['WEIR_CASSANDRA_USERNAME and WEIR_CASSANDRA_PASSWORD: both or none'],
    ],
    [
      { ...connection, WEIR_CASSANDRA_SSL_CA_LOCATION: '/ca.pem' },
      ['WEIR_CASSANDRA_SSL_CA_LOCATION=/ca.pem: only with WEIR_CASSANDRA_SSL=true'],
    ],
    [
      { ...connection, WEIR_CASSANDRA_SSL: 'true', WEIR_CASSANDRA_SSL_KEY_LOCATION: '/key.pem' },
      ['WEIR_CASSANDRA_SSL_CERTIFICATE_LOCATION and WEIR_CASSANDRA_SSL_KEY_LOCATION: both or none'],
    ],
    [
      { ...connection, WEIR_CASSANDRA_READ_CONSISTENCY: 'ANY' },
      [
        'WEIR_CASSANDRA_READ_CONSISTENCY=ANY: expected one of ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, LOCAL_ONE',
      ],
    ],
    [
      { ...connection, WEIR_CASSANDRA_REQUESTS_MAX: '0' },
      ['WEIR_CASSANDRA_REQUESTS_MAX=0: expected an integer from 1 to 2048'],
    ],
  ]
  for (const [environment, problems] of wrong)
    test(problems[0]!, () => {
      assert.throws(
        () => load(environment),
        (error: ConfigError) => {
          assert.deepEqual(error.problems, problems)
          return true
        },
      )
    })
})
