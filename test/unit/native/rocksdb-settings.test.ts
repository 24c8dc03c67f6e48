/** Which settings a database really has: read back from the OPTIONS file that RocksDB writes. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before, describe } from 'node:test'

import { loadConfig } from '../../../src/config/load.ts'
import type { Environment } from '../../../src/config/settings.ts'
import { rocksdbVariables } from '../../../src/config/variables/rocksdb.ts'
import { variables } from '../../../src/config/variables.ts'
import { type RocksDbSettings, StateMemory, TaskDatabase } from '../../../src/native.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { machine, minimal } from '../config/machine-fixture.ts'

const memory = StateMemory.acquire(smallStateMemory)
let folder = ''
let opened = 0

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-settings-'))
})

after(async () => {
  memory.close()
  await rm(folder, { recursive: true })
})

/** A section's settings by `<section> <name>`: the database's `DB`, the store a's `a`, its tables' `a table`. */
type Effective = ReadonlyMap<string, string>

async function effective(
  rocksdb: RocksDbSettings,
  ofStores: readonly Pick<StoreDefinition, 'name' | 'rocksdb'>[] = [{ name: 'a' }],
): Promise<Effective> {
  const database = path.join(folder, String(opened++))
  const open = await TaskDatabase.open(memory, {
    path: database,
    partition: 0,
    stores: ofStores.map((store) => ({
      name: store.name,
      timestamped: false,
      changelogTopic: null,
      ...(store.rocksdb !== undefined && { rocksdb: store.rocksdb }),
    })),
    flushEveryRecords: 1_000,
    flushIntervalMs: 60_000,
    rocksdb,
  })
  await open.close()
  const files = (await readdir(database)).filter((name) => name.startsWith('OPTIONS-')).sort()
  const settings = new Map<string, string>()
  let section = ''
  for (const line of (await readFile(path.join(database, files.at(-1)!), 'utf8')).split('\n')) {
    const header = /^\[(DB|CF|TableOptions\/BlockBasedTable)(?:Options)?(?: "(?:store\\:)?(.*)")?\]/.exec(
      line,
    )
    if (header !== null)
      section = header[1] === 'DB' ? 'DB' : `${header[2]}${header[1] === 'CF' ? '' : ' table'}`
    const [, name, value] = /^ {2}(\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) settings.set(`${section} ${name}`, value!)
  }
  return settings
}

const fromEnvironment = (environment: Environment): Promise<Effective> =>
  effective(loadConfig({ ...minimal, ...environment }, machine).rocksdb)

/** What each variable of the table is set to, and what RocksDB then has. Every variable is here once: see the last test. */
const tuned: readonly (readonly [env: string, value: string, where: string, has: string])[] = [
  ['WRITE_BUFFER_SIZE', '3MiB', 'a', '3145728'],
  ['MAX_WRITE_BUFFER_NUMBER', '3', 'a', '3'],
  ['COMPRESSION', 'kNoCompression', 'a', 'kNoCompression'],
  ['BOTTOMMOST_COMPRESSION', 'kLZ4HCCompression', 'a', 'kLZ4HCCompression'],
  ['COMPRESSION_PER_LEVEL', 'kNoCompression:kLZ4Compression', 'a', 'kNoCompression:kLZ4Compression'],
  ['COMPACTION_STYLE', 'kCompactionStyleUniversal', 'a', 'kCompactionStyleUniversal'],
  ['LEVEL0_FILE_NUM_COMPACTION_TRIGGER', '5', 'a', '5'],
  ['LEVEL0_SLOWDOWN_WRITES_TRIGGER', '21', 'a', '21'],
  ['LEVEL0_STOP_WRITES_TRIGGER', '37', 'a', '37'],
  ['SOFT_PENDING_COMPACTION_BYTES_LIMIT', '1GiB', 'a', '1073741824'],
  ['HARD_PENDING_COMPACTION_BYTES_LIMIT', '2GiB', 'a', '2147483648'],
  ['TARGET_FILE_SIZE_BASE', '8MiB', 'a', '8388608'],
  ['MAX_BYTES_FOR_LEVEL_BASE', '64MiB', 'a', '67108864'],
  ['MAX_BYTES_FOR_LEVEL_MULTIPLIER', '8', 'a', '8.000000'],
  ['NUM_LEVELS', '6', 'a', '6'],
  ['MAX_SUBCOMPACTIONS', '2', 'DB', '2'],
  ['COMPACTION_READAHEAD_SIZE', '4MiB', 'DB', '4194304'],
  ['BYTES_PER_SYNC', '512KiB', 'DB', '524288'],
  ['BLOCK_SIZE', '16KiB', 'a table', '16384'],
  ['FILTER_POLICY', 'ribbonfilter:12', 'a table', '{id=ribbonfilter:12:0;bloom_before_level=0;}'],
  ['OPTIMIZE_FILTERS_FOR_HITS', 'true', 'a', 'true'],
  ['INDEX_TYPE', 'kTwoLevelIndexSearch', 'a table', 'kTwoLevelIndexSearch'],
  ['PARTITION_FILTERS', 'true', 'a table', 'true'],
  ['METADATA_BLOCK_SIZE', '8KiB', 'a table', '8192'],
  ['PIN_L0_FILTER_AND_INDEX_BLOCKS_IN_CACHE', 'true', 'a table', 'true'],
  ['PIN_TOP_LEVEL_INDEX_AND_FILTER', 'false', 'a table', 'false'],
]
/** A file system may refuse these: that RocksDB is asked for them is all that is tested. */
const ofTheFileSystem = ['USE_DIRECT_READS', 'USE_DIRECT_IO_FOR_FLUSH_AND_COMPACTION']

describe('the settings that RocksDB has', () => {
  test('of the profile nvme are those of a database that is told nothing', async () => {
    const set: Record<string, string> = {}
    for (const { env, default: initial } of Object.values(rocksdbVariables)) {
      if (initial.kind === 'fixed') set[env] = String(initial.value)
      if (initial.kind === 'derived')
        set[env] = String(initial.compute({ stateProfile: 'nvme' } as never, machine))
    }
    assert.deepEqual(await fromEnvironment(set), await effective({}))
  })

  test('are those of the environment', async () => {
    const set = Object.fromEntries(tuned.map(([name, value]) => [`WEIR_ROCKSDB_${name}`, value]))
    const settings = await fromEnvironment(set)
    const untouched = await effective({})
    for (const [name, , where, has] of tuned) {
      const key = `${where} ${name.toLowerCase()}`
      assert.equal(settings.get(key), has, key)
      assert.notEqual(untouched.get(key), has, key)
    }
  })

  test('are those of one string, by any name that RocksDB has', async () => {
    const settings = await fromEnvironment({
      WEIR_ROCKSDB_OPTIONS:
        'max_sequential_skip_in_iterations=3;delayed_write_rate=1m;block_based_table_factory={block_restart_interval=9;checksum=kxxHash64}',
    })
    assert.equal(settings.get('a max_sequential_skip_in_iterations'), '3')
    assert.equal(settings.get('DB delayed_write_rate'), '1048576')
    assert.equal(settings.get('a table block_restart_interval'), '9')
    assert.equal(settings.get('a table checksum'), 'kxxHash64')
  })

  test('of the profile small are its own', async () => {
    const settings = await fromEnvironment({ WEIR_STATE_PROFILE: 'small' })
    const expected = {
      'a max_write_buffer_number': '2',
      'a level0_file_num_compaction_trigger': '4',
      'a target_file_size_base': '33554432',
      'a max_bytes_for_level_base': '134217728',
      // RocksDB's own: 25 files.
      'a max_compaction_bytes': '838860800',
      'DB bytes_per_sync': '1048576',
    }
    const differing = [...(await effective({}))].filter(([key, value]) => settings.get(key) !== value)
    const ofStore = differing.filter(([key]) => /^(a|DB) /.test(key)).map(([key]) => [key, settings.get(key)])
    assert.deepEqual(Object.fromEntries(ofStore), expected)
  })

  test('of one store are its own alone, over those of the environment', async () => {
    const options = { key: serdes.string, value: serdes.string }
    const { rocksdb } = loadConfig({ ...minimal, WEIR_ROCKSDB_BLOCK_SIZE: '8KiB' }, machine)
    const settings = await effective(rocksdb, [
      stores.keyValue({ name: 'a', ...options }),
      stores.window({
        name: 'b',
        ...options,
        retentionMs: 60_000,
        windowSizeMs: 1_000,
        rocksdb: {
          block_size: '64KiB',
          compaction_style: 'kCompactionStyleUniversal',
          max_write_buffer_number: 6,
        },
      }),
    ])
    const of = (name: string): (string | undefined)[] =>
      ['a', 'b', 'offsets'].map((family) => settings.get(`${family}${name}`))
    assert.deepEqual(of(' table block_size'), ['8192', '65536', '8192'])
    assert.deepEqual(of(' compaction_style'), [
      'kCompactionStyleLevel',
      'kCompactionStyleUniversal',
      'kCompactionStyleLevel',
    ])
    assert.deepEqual(of(' max_write_buffer_number'), ['4', '6', '4'])
    // What a guarantee rests on is there whatever is set.
    assert.equal(settings.get('DB atomic_flush'), 'true')
  })

  test('of a store are kept when it is emptied', async () => {
    const database = path.join(folder, String(opened++))
    const open = (interval: number): Promise<TaskDatabase> =>
      TaskDatabase.open(memory, {
        path: database,
        partition: 0,
        stores: [
          {
            name: 'a',
            timestamped: false,
            changelogTopic: null,
            segments: { retentionMs: 1_000, intervalMs: interval, suffixBytes: 12 },
            rocksdb: { max_write_buffer_number: '7' },
          },
        ],
        flushEveryRecords: 1_000,
        flushIntervalMs: 60_000,
      })
    await (await open(1_000)).close()
    await (await open(2_000)).close()
    const files = (await readdir(database)).filter((name) => name.startsWith('OPTIONS-')).sort()
    const text = await readFile(path.join(database, files.at(-1)!), 'utf8')
    assert.match(/\[CFOptions "store\\:a"\][^[]*/.exec(text)![0], /max_write_buffer_number=7/)
  })

  test('every variable of the table is tested above', () => {
    const tested = [...tuned.map(([name]) => name), ...ofTheFileSystem].map((name) => `WEIR_ROCKSDB_${name}`)
    assert.deepEqual(
      tested.sort(),
      Object.values(rocksdbVariables)
        .map(({ env }) => env)
        .sort(),
    )
    const { rocksdb } = loadConfig(
      { ...minimal, ...Object.fromEntries(ofTheFileSystem.map((name) => [`WEIR_ROCKSDB_${name}`, 'true'])) },
      machine,
    )
    assert.deepEqual(Object.values(rocksdb), ['true', 'true'])
    assert.ok(Object.hasOwn(variables, 'rocksdbRateLimitBytesPerSecond'))
  })
})
