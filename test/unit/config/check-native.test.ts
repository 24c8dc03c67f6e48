import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { checkNativeSettings } from '../../../src/config/check-native.ts'
import { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { machine, minimal } from './machine-fixture.ts'

async function problemsOf(environment: Environment): Promise<readonly string[]> {
  try {
    await checkNativeSettings(loadConfig({ ...minimal, ...environment }, machine))
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
}

const sasl = {
  WEIR_SASL_MECHANISM: 'SCRAM-SHA-512',
  WEIR_SASL_USERNAME: 'weir',
  WEIR_SASL_PASSWORD: 'hunter2',
}

describe('librdkafka and RocksDB', () => {
  const taken: readonly (readonly [what: string, environment: Environment])[] = [
    ['the defaults', {}],
    ['the consumer protocol', { WEIR_GROUP_PROTOCOL: 'consumer', WEIR_GROUP_INSTANCE_ID: 'a' }],
    ['SSL', { WEIR_SECURITY_PROTOCOL: 'ssl' }],
    ['SASL', { WEIR_SECURITY_PROTOCOL: 'sasl_plaintext', ...sasl }],
    ['PLAIN', { WEIR_SECURITY_PROTOCOL: 'sasl_plaintext', ...sasl, WEIR_SASL_MECHANISM: 'PLAIN' }],
    ['both', { WEIR_SECURITY_PROTOCOL: 'sasl_ssl', ...sasl }],
    [
      'small and large records',
      { WEIR_PRODUCER_MESSAGE_MAX_BYTES: '500000000', WEIR_CONSUMER_FETCH_MAX_BYTES: '2000000' },
    ],
    ['many threads', { WEIR_NUM_STREAM_THREADS: '64', WEIR_MEMORY_BYTES: '8GiB' }],
    ['another timeout', { WEIR_SESSION_TIMEOUT_MS: '6000', WEIR_MAX_POLL_INTERVAL_MS: '6000' }],
    ['a family option', { WEIR_ROCKSDB_WRITE_BUFFER_SIZE: '1048576' }],
  ]
  for (const [what, environment] of taken) {
    test(`take ${what}`, async () => assert.deepEqual(await problemsOf(environment), []))
  }

  const refused: readonly (readonly [environment: Environment, line: RegExp])[] = [
    [{ WEIR_PRODUCER_FOO_BAR: '1' }, /^WEIR_PRODUCER_FOO_BAR: .*foo\.bar is unknown to librdkafka$/],
    [
      { WEIR_CONSUMER_FETCH_MIN_BYTES: 'x' },
      /^WEIR_CONSUMER_FETCH_MIN_BYTES: .*fetch\.min\.bytes=x is refused/,
    ],
    [{ WEIR_ADMIN_SOCKET_TIMEOUT_MS: '1' }, /^WEIR_ADMIN_SOCKET_TIMEOUT_MS: /],
    [{ WEIR_ROCKSDB_FOO: '1' }, /^WEIR_ROCKSDB_FOO: /],
    [
      { WEIR_SECURITY_PROTOCOL: 'ssl', WEIR_SSL_CA_LOCATION: '/no/such/file' },
      /^WEIR_SSL_CA_LOCATION: .*ssl\.ca\.location/,
    ],
  ]
  for (const [environment, line] of refused) {
    test(`refuse ${Object.keys(environment).at(-1)} with one line that names it`, async () => {
      const problems = await problemsOf(environment)
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', line)
    })
  }
})
