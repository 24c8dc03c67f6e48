import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { ConfigError } from '../../../src/config/config-error.ts'
import { type ConfigInput, configFrom, loadConfig } from '../../../src/config/load.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { variables } from '../../../src/config/variables.ts'
import { decisionFor } from '../../../src/errors/decision.ts'
import { machine, minimal } from './machine-fixture.ts'

function load(environment: Environment) {
  return loadConfig({ ...minimal, ...environment }, machine)
}

/** The lines with which `run` is refused. */
function problemsOf(run: () => unknown): readonly string[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(decisionFor(error).exitCode, 2)
    return error.problems
  }
  return assert.fail('nothing was refused')
}

describe('what is not set', () => {
  test('has its default', () => {
    const config = load({})
    assert.equal(config.clientId, 'app')
    assert.equal(config.numStreamThreads, 2)
    assert.equal(config.processingGuarantee, 'at_least_once')
    assert.equal(config.commitIntervalMs, 30_000)
    assert.equal(config.autoOffsetReset, 'earliest')
    assert.equal(config.groupInstanceId, null)
    assert.equal(config.threadStuckTimeoutMs, 300_000)
    assert.equal(config.stateDir, '/srv/app/weir-state')
    assert.equal(config.logFormat, 'json')
    assert.equal(config.memoryBytes, Math.floor(0.8 * 4 * 2 ** 30))
    assert.deepEqual(config.security, { 'security.protocol': 'plaintext' })
    assert.deepEqual([config.consumer, config.producer, config.admin, config.rocksdb], [{}, {}, {}, {}])
  })

  test('an empty value is not set', () => {
    assert.equal(load({ WEIR_COMMIT_INTERVAL_MS: '' }).commitIntervalMs, 30_000)
    assert.match(
      problemsOf(() => load({ WEIR_APPLICATION_ID: '' })).join(),
      /^WEIR_APPLICATION_ID is not set/,
    )
  })

  test('defaults follow the settings they are derived from', () => {
    const config = load({ WEIR_MAX_POLL_INTERVAL_MS: '90000', WEIR_APPLICATION_ID: 'other' })
    assert.equal(config.threadStuckTimeoutMs, 90_000)
    assert.equal(config.clientId, 'other')
  })

  test('the console is off in production, unless it is asked for', () => {
    const consoleOf = (isProduction: boolean, given: Record<string, string> = {}): string =>
      loadConfig({ ...minimal, ...given }, { ...machine, isProduction }).console
    assert.deepEqual([consoleOf(false), consoleOf(true)], ['on', 'off'])
    assert.equal(consoleOf(true, { WEIR_CONSOLE: 'on' }), 'on')
    assert.equal(consoleOf(false, { WEIR_CONSOLE: 'off' }), 'off')
  })

  test('the state folder is /var/lib/weir where that can be written', () => {
    const config = loadConfig(minimal, {
      ...machine,
      isWritableDirectory: (path) => path === '/var/lib/weir',
    })
    assert.equal(config.stateDir, '/var/lib/weir')
  })

  test('threads are as many as the memory holds', () => {
    const config = loadConfig({ ...minimal, WEIR_MEMORY_BYTES: '512MiB' }, { ...machine, cores: 128 })
    assert.ok(config.numStreamThreads >= 2 && config.numStreamThreads < 16, String(config.numStreamThreads))
  })
})

describe('a value', () => {
  test('is read from its variable', () => {
    const config = load({
      WEIR_BOOTSTRAP_SERVERS: 'kafka-1:9092, [::1]:9093',
      WEIR_BATCH_BYTES_MAX: '1 MiB',
      WEIR_MEMORY_BYTES: '1073741824',
      WEIR_AUTO_OFFSET_RESET: 'LATEST',
      WEIR_HTTP_PORT: '-1',
      WEIR_ROCKSDB_MAX_OPEN_FILES: '100',
    })
    assert.equal(config.bootstrapServers, 'kafka-1:9092, [::1]:9093')
    assert.equal(config.batchBytesMax, 2 ** 20)
    assert.equal(config.memoryBytes, 2 ** 30)
    assert.equal(config.autoOffsetReset, 'latest')
    assert.equal(config.httpPort, -1)
    assert.equal(config.maxOpenFilesPerTask, 100)
    assert.deepEqual(config.rocksdb, {})
  })

  const refused: readonly (readonly [Environment, string])[] = [
    [{ WEIR_NUM_STREAM_THREADS: 'two' }, 'WEIR_NUM_STREAM_THREADS=two: expected an integer from 1 to 256'],
    [{ WEIR_NUM_STREAM_THREADS: '0' }, 'WEIR_NUM_STREAM_THREADS=0: expected an integer from 1 to 256'],
    [
      { WEIR_COMMIT_INTERVAL_MS: '1e3' },
      'WEIR_COMMIT_INTERVAL_MS=1e3: expected an integer from 0 to 86400000',
    ],
    [
      { WEIR_MEMORY_BYTES: '100MB' },
      'WEIR_MEMORY_BYTES=100MB: expected bytes, at least 512 MiB (plain, or as in 64KiB, 512MiB, 2GiB)',
    ],
    [
      { WEIR_MEMORY_BYTES: '100MiB' },
      'WEIR_MEMORY_BYTES=100MiB: expected bytes, at least 512 MiB (plain, or as in 64KiB, 512MiB, 2GiB)',
    ],
    [
      { WEIR_AUTO_OFFSET_RESET: 'begin' },
      'WEIR_AUTO_OFFSET_RESET=begin: expected one of earliest, latest, none',
    ],
    [{ WEIR_GROUP_PROTOCOL: 'streams' }, 'WEIR_GROUP_PROTOCOL=streams: expected classic or consumer'],
    [
      { WEIR_BOOTSTRAP_SERVERS: 'localhost' },
      'WEIR_BOOTSTRAP_SERVERS=localhost: expected host:port, several separated by commas',
    ],
    [
      { WEIR_APPLICATION_ID: 'a b' },
      'WEIR_APPLICATION_ID=a b: expected up to 200 letters, digits, dots, underscores and hyphens',
    ],
    [{ WEIR_STATE_DIR: 'a\nb' }, 'WEIR_STATE_DIR=a b: expected a path'],
    [
      { WEIR_COMIT_INTERVAL_MS: '1' },
      'WEIR_COMIT_INTERVAL_MS is no setting of Weir: did you mean WEIR_COMMIT_INTERVAL_MS?',
    ],
    [{ WEIR_QQQQQQQQQQQQ: '1' }, 'WEIR_QQQQQQQQQQQQ is no setting of Weir: weir config lists them all'],
    [
      { WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2', WEIR_COMMIT_INTERVAL_MS: '10000' },
      'WEIR_COMMIT_INTERVAL_MS=10000: less than WEIR_TRANSACTION_TIMEOUT_MS (10000)',
    ],
    [
      {
        WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
        WEIR_TRANSACTION_TIMEOUT_MS: '60000',
        WEIR_MAX_POLL_INTERVAL_MS: '50000',
      },
      'WEIR_MAX_POLL_INTERVAL_MS=50000: at least WEIR_TRANSACTION_TIMEOUT_MS (60000)',
    ],
    [
      {
        WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
        WEIR_TRANSACTION_TIMEOUT_MS: '30000',
        WEIR_THREAD_STUCK_TIMEOUT_MS: '20000',
      },
      'WEIR_THREAD_STUCK_TIMEOUT_MS=20000: at least WEIR_TRANSACTION_TIMEOUT_MS (30000)',
    ],
    [
      { WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2', WEIR_PRODUCER_DELIVERY_TIMEOUT_MS: '20000' },
      'WEIR_PRODUCER_MESSAGE_TIMEOUT_MS=20000: from 1 to WEIR_TRANSACTION_TIMEOUT_MS (10000)',
    ],
    [
      { WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2', WEIR_PRODUCER_SOCKET_TIMEOUT_MS: '20000' },
      'WEIR_PRODUCER_SOCKET_TIMEOUT_MS=20000: from 1 to WEIR_TRANSACTION_TIMEOUT_MS (10000)',
    ],
    [
      { WEIR_SESSION_TIMEOUT_MS: '400000' },
      'WEIR_SESSION_TIMEOUT_MS=400000: at most WEIR_MAX_POLL_INTERVAL_MS (300000)',
    ],
    [
      { WEIR_NUM_STREAM_THREADS: '3', WEIR_STREAM_THREADS_MAX: '2' },
      'WEIR_STREAM_THREADS_MAX=2: at least WEIR_NUM_STREAM_THREADS (3)',
    ],
    [
      { WEIR_UNCAUGHT_ERROR: 'ignore' },
      'WEIR_UNCAUGHT_ERROR=ignore: expected one of stop-worker, replace-thread, stop-application',
    ],
    [{ WEIR_REPLICATION_FACTOR: '0' }, 'WEIR_REPLICATION_FACTOR=0: expected -1 or at least 1'],
    [
      { WEIR_MEMORY_BYTES: '1GiB', WEIR_STATESTORE_CACHE_MAX_BYTES: '1GiB' },
      'WEIR_MEMORY_BYTES=1073741824: too little for 2 stream threads (WEIR_NUM_STREAM_THREADS, WEIR_STREAM_THREADS_MAX), WEIR_STATESTORE_CACHE_MAX_BYTES=1073741824, ' +
        'which needs at least 1384120320 (1.3 GiB)',
    ],
    [
      { WEIR_ROCKSDB_BLOCK_CACHE_BYTES: '100MiB', WEIR_ROCKSDB_WRITE_BUFFER_BYTES: '100MiB' },
      'WEIR_ROCKSDB_WRITE_BUFFER_BYTES=104857600: at most three quarters of WEIR_ROCKSDB_BLOCK_CACHE_BYTES (104857600), ' +
        'to which write buffers are charged',
    ],
    [
      { WEIR_MEMORY_BYTES: '512MiB', WEIR_TASKS_MAX: '1000' },
      'WEIR_TASKS_MAX=1000: WEIR_MEMORY_BYTES=536870912 holds at most 148 tasks',
    ],
  ]
  for (const [environment, line] of refused) {
    test(`is refused: ${line}`, () =>
      assert.deepEqual(
        problemsOf(() => load(environment)),
        [line],
      ))
  }

  test('all problems are told at once', () => {
    const environment = { WEIR_HTTP_PORT: 'x', WEIR_LOG_LEVEL: 'loud', WEIR_PRODUCER_ACKS: '1' }
    const lines = problemsOf(() => loadConfig(environment, machine))
    assert.equal(lines.length, 5)
    assert.ok(lines.every((line) => !line.includes('\n')))
  })
})

describe('pass-through', () => {
  test('reaches the clients and RocksDB under their own names', () => {
    const config = load({
      WEIR_CONSUMER_FETCH_MIN_BYTES: '100',
      WEIR_PRODUCER_COMPRESSION_TYPE: 'zstd',
      WEIR_ADMIN_SOCKET_TIMEOUT_MS: '1000',
      WEIR_ROCKSDB_LEVEL0_FILE_NUM_COMPACTION_TRIGGER: '8',
    })
    assert.deepEqual(config.consumer, { 'fetch.min.bytes': '100' })
    assert.deepEqual(config.producer, { 'compression.codec': 'zstd' })
    assert.deepEqual(config.admin, { 'socket.timeout.ms': '1000' })
    assert.deepEqual(config.rocksdb, { level0_file_num_compaction_trigger: '8' })
  })

  const refused: readonly (readonly [Environment, RegExp])[] = [
    [
      { WEIR_CONSUMER_ENABLE_AUTO_COMMIT: 'true' },
      /^WEIR_CONSUMER_ENABLE_AUTO_COMMIT=true: enable.auto.commit cannot be set: /,
    ],
    [{ WEIR_CONSUMER_ENABLE_AUTO_OFFSET_STORE: 'true' }, /enable.auto.offset.store cannot be set/],
    [
      { WEIR_CONSUMER_AUTO_OFFSET_RESET: 'latest' },
      /auto.offset.reset cannot be set: use WEIR_AUTO_OFFSET_RESET/,
    ],
    [{ WEIR_CONSUMER_GROUP_ID: 'x' }, /group.id cannot be set: use WEIR_APPLICATION_ID/],
    [
      { WEIR_CONSUMER_PARTITION_ASSIGNMENT_STRATEGY: 'roundrobin' },
      /partition.assignment.strategy cannot be set/,
    ],
    [{ WEIR_PRODUCER_ENABLE_IDEMPOTENCE: 'false' }, /enable.idempotence cannot be set/],
    [{ WEIR_PRODUCER_ACKS: '1' }, /acks cannot be set/],
    [{ WEIR_PRODUCER_REQUEST_REQUIRED_ACKS: '1' }, /acks cannot be set/],
    [{ WEIR_PRODUCER_TRANSACTIONAL_ID: 'x' }, /transactional.id cannot be set/],
    [{ WEIR_PRODUCER_SASL_PASSWORD: 'hunter2' }, /^WEIR_PRODUCER_SASL_PASSWORD=\(hidden\): /],
    [
      { WEIR_ADMIN_METADATA_BROKER_LIST: 'x:1' },
      /bootstrap.servers cannot be set: use WEIR_BOOTSTRAP_SERVERS/,
    ],
    [{ WEIR_ROCKSDB_COMPARATOR: 'x' }, /comparator cannot be set/],
    [{ WEIR_ROCKSDB_COMPACTION_STYLE: 'kCompactionStyleFIFO' }, /it would drop state/],
  ]
  for (const [environment, line] of refused) {
    test(`never ${Object.keys(environment).join()}`, () => {
      const lines = problemsOf(() => load(environment))
      assert.equal(lines.length, 1)
      assert.match(lines[0] ?? '', line)
      assert.doesNotMatch(lines[0] ?? '', /hunter2/)
    })
  }
})

describe('security', () => {
  const sasl = {
    WEIR_SECURITY_PROTOCOL: 'SASL_SSL',
    WEIR_SASL_MECHANISM: 'scram-sha-512',
    WEIR_SASL_USERNAME: 'weir',
  }
  const folder = mkdtempSync(join(tmpdir(), 'weir-config-'))
  const secretFile = join(folder, 'password')
  writeFileSync(secretFile, 'hunter2\n')

  test('is shared by all clients, with the password from a file', () => {
    assert.deepEqual(load({ ...sasl, WEIR_SASL_PASSWORD_FILE: secretFile }).security, {
      'security.protocol': 'sasl_ssl',
      'sasl.mechanisms': 'SCRAM-SHA-512',
      'sasl.username': 'weir',
      'sasl.password': 'hunter2',
      'ssl.ca.location': 'probe',
    })
  })

  test('a secret of a pass-through setting can be in a file too', () => {
    const config = load({ WEIR_CONSUMER_SSL_KEYSTORE_PASSWORD_FILE: secretFile })
    assert.deepEqual(config.consumer, { 'ssl.keystore.password': 'hunter2' })
  })

  const refused: readonly (readonly [Environment, RegExp])[] = [
    [sasl, /^WEIR_SASL_PASSWORD is not set: WEIR_SECURITY_PROTOCOL=sasl_ssl needs it$/],
    [
      { WEIR_SASL_PASSWORD: 'hunter2' },
      /^WEIR_SASL_PASSWORD=\(hidden\): only with WEIR_SECURITY_PROTOCOL=sasl_/,
    ],
    [
      { WEIR_SSL_CA_LOCATION: '/ca' },
      /^WEIR_SSL_CA_LOCATION=\/ca: only with WEIR_SECURITY_PROTOCOL=ssl or sasl_ssl$/,
    ],
    [
      { ...sasl, WEIR_SASL_PASSWORD_FILE: join(folder, 'none') },
      /^WEIR_SASL_PASSWORD_FILE=.*none: cannot be read: ENOENT/,
    ],
    [
      { ...sasl, WEIR_SASL_PASSWORD: 'hunter2', WEIR_SASL_PASSWORD_FILE: secretFile },
      /is set too; set one of them$/,
    ],
    [{ WEIR_BOOTSTRAP_SERVERS_FILE: secretFile }, /^WEIR_BOOTSTRAP_SERVERS_FILE is no setting/],
  ]
  for (const [environment, line] of refused) {
    test(`refused: ${line}`, () => {
      const lines = problemsOf(() => load(environment)).join('\n')
      assert.match(lines.split('\n')[0] ?? '', line)
      assert.doesNotMatch(lines, /hunter2/)
    })
  }
})

describe('variables that are not for Weir to read', () => {
  test("a Kubernetes service's, whatever its name, and the tools' own", () => {
    load({
      WEIR_SERVICE_HOST: '10.0.0.1',
      WEIR_SERVICE_PORT: '80',
      WEIR_SERVICE_PORT_HTTP: '80',
      WEIR_PORT: 'tcp://10.0.0.1:80',
      WEIR_PORT_80_TCP: 'tcp://10.0.0.1:80',
      WEIR_PORT_80_TCP_PROTO: 'tcp',
      WEIR_PORT_80_TCP_PORT: '80',
      WEIR_PORT_80_TCP_ADDR: '10.0.0.1',
      WEIR_CONSUMER_SERVICE_HOST: '10.0.0.2',
      WEIR_CONSUMER_PORT: 'tcp://10.0.0.2:80',
      WEIR_TOOLCHAIN_DIR: '/opt/weir',
    })
  })
})

describe('configFrom', () => {
  const input = { applicationId: 'app', bootstrapServers: 'localhost:9092' } as const

  test('takes the same settings from code', () => {
    const config = configFrom(
      {
        ...input,
        numStreamThreads: 3,
        consumer: { 'fetch.min.bytes': '5' },
        rocksdb: { write_buffer_size: '1MiB' },
      },
      {},
      machine,
    )
    assert.equal(config.numStreamThreads, 3)
    assert.deepEqual(config.consumer, { 'fetch.min.bytes': '5' })
    assert.deepEqual(config.rocksdb, { write_buffer_size: '1048576' })
  })

  test('refuses what the environment would refuse, and an unknown key', () => {
    assert.match(
      problemsOf(() => configFrom({ ...input, httpPort: 70_000 }, {}, machine)).join(),
      /^WEIR_HTTP_PORT=70000: expected/,
    )
    const misspelt = { ...input, numStreamThread: 2 } as ConfigInput
    assert.match(
      problemsOf(() => configFrom(misspelt, {}, machine)).join(),
      /^numStreamThread is no setting of Weir: expected one of/,
    )
  })
})

test('no variable is named twice, and every default is allowed', () => {
  const names = Object.values(variables).map((variable) => variable.env)
  assert.equal(new Set(names).size, names.length)
  for (const variable of Object.values(variables)) {
    if (variable.default.kind === 'fixed') {
      assert.ok(variable.type.schema.safeParse(String(variable.default.value)).success, variable.env)
    }
  }
})
