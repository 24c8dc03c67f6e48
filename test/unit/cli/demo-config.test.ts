import assert from 'node:assert/strict'
import { test } from 'node:test'

import { demoConfig } from '../../../src/cli/demo-config.ts'

const own = { bootstrapServers: '127.0.0.1:1', stateDir: '/tmp/demo', threads: null }

test("the demo takes the environment's settings, but none of a cluster", () => {
  const config = demoConfig(own, {
    WEIR_APPLICATION_ID: 'production',
    WEIR_BOOTSTRAP_SERVERS: 'kafka:9092',
    WEIR_STATE_DIR: '/var/lib/weir',
    WEIR_SECURITY_PROTOCOL: 'sasl_ssl',
    WEIR_SASL_PASSWORD_FILE: '/run/secrets/none',
    WEIR_GROUP_INSTANCE_ID: 'worker-1',
    WEIR_MEMORY_BYTES: '1GiB',
    WEIR_PRODUCER_LINGER_MS: '7',
  })
  assert.deepEqual(
    [config.applicationId, config.bootstrapServers, config.stateDir, config.groupInstanceId],
    ['weir-demo', '127.0.0.1:1', '/tmp/demo', null],
  )
  assert.deepEqual(config.security, { 'security.protocol': 'plaintext' })
  assert.deepEqual([config.memoryBytes, config.producer['linger.ms']], [2 ** 30, '7'])
})

test('what is not set suits a demo', () => {
  const config = demoConfig({ ...own, threads: 3 }, {})
  assert.deepEqual([config.numStreamThreads, config.commitIntervalMs, config.httpPort], [3, 1_000, 0])
  assert.equal(config.producer['linger.ms'], '5')
})
