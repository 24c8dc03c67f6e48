import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { checkNativeSettings } from '../../../src/config/check-native.ts'
import { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { TopologyDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'
import { machine, minimal } from './machine-fixture.ts'

async function problemsOf(
  environment: Environment,
  topology?: TopologyDefinition,
): Promise<readonly string[]> {
  try {
    await checkNativeSettings(loadConfig({ ...minimal, ...environment }, machine), topology)
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
    [{ WEIR_ROCKSDB_FOO: '1' }, /^WEIR_ROCKSDB_FOO: RocksDB has no setting foo; /],
    [
      { WEIR_ROCKSDB_BLOCK_RESTART_INTERVALS: '1' },
      /^WEIR_ROCKSDB_BLOCK_RESTART_INTERVALS: .*; did you mean block_restart_interval\?$/,
    ],
    [
      { WEIR_ROCKSDB_BLOCK_RESTART_INTERVAL: '12x' },
      /^WEIR_ROCKSDB_BLOCK_RESTART_INTERVAL: .*block_restart_interval=12x: it is a number.*expected a value such as its default, 16$/,
    ],
    [{ WEIR_ROCKSDB_CHECKSUM: 'md5' }, /^WEIR_ROCKSDB_CHECKSUM: .*such as its default, kXXH3$/],
    [
      { WEIR_ROCKSDB_ENABLE_PIPELINED_WRITE: 'true' },
      /^WEIR_ROCKSDB_\* \(enable_pipelined_write\): .*atomic_flush/,
    ],
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

describe("a store's own settings", () => {
  /** A topology with a store that is told `rocksdb`. */
  function topologyWith(rocksdb: Readonly<Record<string, string | number | boolean>>): TopologyDefinition {
    const { string } = serdes
    return new Topology()
      .addSource('source', { topics: 'in', key: string, value: string })
      .addProcessor('processor', () => ({ process() {} }), { parents: 'source' })
      .addStateStore(stores.keyValue({ name: 'counts', key: string, value: string, rocksdb }), 'processor')
      .build()
  }

  test('are taken', async () => {
    assert.deepEqual(
      await problemsOf({}, topologyWith({ block_size: '16KiB', max_write_buffer_number: 3, ttl: 86_400 })),
      [],
    )
  })

  const refused: readonly (readonly [Readonly<Record<string, string | number>>, RegExp])[] = [
    [{ block_sise: 1 }, /^store counts: rocksdb: block_sise: .*; did you mean block_size\?$/],
    [{ block_restart_interval: 'many' }, /^store counts: rocksdb: block_restart_interval: .*default, 16$/],
    [
      { bytes_per_sync: 1_048_576 },
      /of the whole database, not of one store: set WEIR_ROCKSDB_BYTES_PER_SYNC$/,
    ],
    [
      { block_align: 'true' },
      /^store counts: rocksdb \(.*block_align.*\): RocksDB refuses these settings together: /,
    ],
  ]
  for (const [rocksdb, line] of refused) {
    test(`are refused with one line: ${Object.keys(rocksdb).join()}`, async () => {
      const problems = await problemsOf({}, topologyWith(rocksdb))
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0]!, line)
    })
  }
})
