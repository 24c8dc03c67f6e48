import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { parseOptionString, storeSetting } from '../../../src/config/rocksdb-settings.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { machine, minimal } from './machine-fixture.ts'

const rocksdb = (environment: Environment): Readonly<Record<string, string>> =>
  loadConfig({ ...minimal, ...environment }, machine).rocksdb

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig({ ...minimal, ...environment }, machine)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return []
}

describe('an option string', () => {
  test('is cut at semicolons outside of braces; the settings of tables stand beside the others', () => {
    assert.deepEqual(
      [
        ...parseOptionString(
          ' ttl = 5; compression_opts={level=3;window_bits=1};;block_based_table_factory={block_size=8192;metadata_cache_options={a=b}} ;',
        ),
      ],
      [
        ['ttl', '5'],
        ['compression_opts', '{level=3;window_bits=1}'],
        ['block_size', '8192'],
        ['metadata_cache_options', '{a=b}'],
      ],
    )
    assert.deepEqual([...parseOptionString('')], [])
  })

  for (const [text, message] of [
    ['ttl', /ttl is no name=value/],
    ['=5', /=5 is no name=value/],
    ['a b=5', /a b=5 is no name=value/],
    ['a={b=1;c=2', /braces/],
    ['a=}', /braces/],
  ] as const) {
    test(`is refused: ${text}`, () => assert.throws(() => parseOptionString(text), message))
  }
})

describe('the environment', () => {
  test('gives RocksDB what is set, bytes as numbers, and nothing else', () => {
    assert.deepEqual(rocksdb({}), {})
    assert.deepEqual(
      rocksdb({ WEIR_ROCKSDB_BLOCK_SIZE: '16KiB', WEIR_ROCKSDB_BLOCK_RESTART_INTERVAL: '32' }),
      {
        block_size: '16384',
        block_restart_interval: '32',
      },
    )
  })

  test('a variable holds over WEIR_ROCKSDB_OPTIONS, which holds over the profile', () => {
    const settings = rocksdb({
      WEIR_STATE_PROFILE: 'small',
      WEIR_ROCKSDB_OPTIONS:
        'block_size=8192;target_file_size_base=16777216;block_based_table_factory={metadata_block_size=2KiB}',
      WEIR_ROCKSDB_BLOCK_SIZE: '32KiB',
    })
    assert.equal(settings.block_size, '32768')
    assert.equal(settings.target_file_size_base, '16777216')
    assert.equal(settings.metadata_block_size, '2048')
    assert.equal(settings.level0_file_num_compaction_trigger, '4')
    const config = loadConfig({ ...minimal, WEIR_ROCKSDB_OPTIONS: 'max_open_files=77' }, machine)
    assert.equal(config.maxOpenFilesPerTask, 77)
  })

  test("RocksDB's own name for the settings of tables is taken apart, too", () => {
    assert.deepEqual(
      rocksdb({ WEIR_ROCKSDB_BLOCK_BASED_TABLE_FACTORY: '{block_size=8192;checksum=kxxHash64}' }),
      {
        block_size: '8192',
        checksum: 'kxxHash64',
      },
    )
  })

  test('the profile small has fewer threads and files, where they are not set', () => {
    const small = { ...minimal, WEIR_STATE_PROFILE: 'small' }
    const { rocksdbBackgroundThreads, maxOpenFilesPerTask } = loadConfig(small, machine)
    assert.deepEqual([rocksdbBackgroundThreads, maxOpenFilesPerTask], [2, 128])
    assert.equal(loadConfig({ ...small, WEIR_ROCKSDB_MAX_OPEN_FILES: '50' }, machine).maxOpenFilesPerTask, 50)
  })

  const refused: readonly (readonly [Environment, RegExp])[] = [
    [{ WEIR_STATE_PROFILE: 'hdd' }, /^WEIR_STATE_PROFILE=hdd: expected nvme or small$/],
    [{ WEIR_ROCKSDB_BLOCK_SIZE: 'abc' }, /^WEIR_ROCKSDB_BLOCK_SIZE=abc: expected bytes, at least 1 KiB/],
    [
      { WEIR_ROCKSDB_COMPRESSION: 'zstd' },
      /^WEIR_ROCKSDB_COMPRESSION=zstd: expected one of kNoCompression, /,
    ],
    [{ WEIR_ROCKSDB_FILTER_POLICY: 'bloom' }, /^WEIR_ROCKSDB_FILTER_POLICY=bloom: expected bloomfilter:10 /],
    [{ WEIR_ROCKSDB_PARTITION_FILTERS: 'true' }, /only with WEIR_ROCKSDB_INDEX_TYPE=kTwoLevelIndexSearch/],
    [{ WEIR_ROCKSDB_PREFIX_EXTRACTOR: 'x' }, /prefix_extractor cannot be set: scans rest on the order/],
    [
      { WEIR_ROCKSDB_OPTIONS: 'block_size' },
      /^WEIR_ROCKSDB_OPTIONS=block_size: block_size is no name=value: /,
    ],
    [
      { WEIR_ROCKSDB_OPTIONS: 'block_size=x' },
      /^WEIR_ROCKSDB_BLOCK_SIZE=x: expected bytes.* \(in WEIR_ROCKSDB_OPTIONS\)$/,
    ],
    [
      { WEIR_ROCKSDB_OPTIONS: 'block_based_table_factory={block_cache=1}' },
      /^WEIR_ROCKSDB_BLOCK_CACHE=1: block_cache cannot be set: use WEIR_ROCKSDB_BLOCK_CACHE_BYTES \(in WEIR_ROCKSDB_OPTIONS\)$/,
    ],
    [{ WEIR_ROCKSDB_OPTIONS: 'atomic_flush=false' }, /atomic_flush cannot be set/],
  ]
  for (const [environment, line] of refused) {
    test(`is refused: ${Object.entries(environment).join().replace(',', '=')}`, () => {
      const problems = problemsOf(environment)
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0]!, line)
    })
  }
})

test("a store's setting is checked as the variable is", () => {
  assert.deepEqual(storeSetting('block_size', '16KiB'), { value: '16384' })
  assert.deepEqual(storeSetting('block_size', 16_384), { value: '16384' })
  assert.deepEqual(storeSetting('partition_filters', true), { value: 'true' })
  assert.deepEqual(storeSetting('block_restart_interval', 8), { value: '8' })
  const problem = (name: string, value: unknown): string => {
    const checked = storeSetting(name, value)
    return 'problem' in checked ? checked.problem : ''
  }
  assert.match(problem('block_size', 'x'), /^block_size=x: expected bytes/)
  assert.match(problem('comparator', 'x'), /^comparator cannot be set: scans rest on the order of bytes$/)
  assert.match(problem('compaction_style', 'kCompactionStyleFIFO'), /it would drop state/)
  assert.match(problem('block_size', null), /^block_size must be text, a number or a boolean$/)
})
