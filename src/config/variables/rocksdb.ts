import { bytes, formatBytes, integer, oneOf, text, type ValueType } from '../value-type.ts'
import { type DefaultValue, derived, fixed, optional, type Variable, variable } from '../variable.ts'
import { MiB } from './common.ts'

const GiB = 1024 * MiB
const compressions = ['kNoCompression', 'kLZ4Compression', 'kLZ4HCCompression'] as const
const compression = `(${compressions.join('|')})`

interface RocksDbVariable<T> {
  /** RocksDB's name in upper case. */
  readonly env: `WEIR_ROCKSDB_${string}`
  readonly type: ValueType<T>
  readonly unit?: 'ms' | 'bytes'
  readonly meaning: string
}

function setting<T>(input: RocksDbVariable<T>, defaultValue: DefaultValue<T>): Variable<T> {
  return variable({ ...input, group: 'RocksDB' }, defaultValue)
}

/** Another default under each profile. */
function byProfile<T>(nvme: T, small: T, shown: (value: T) => string = String): DefaultValue<T> {
  return derived(`${shown(nvme)}; ${shown(small)} under small`, ({ stateProfile }) =>
    stateProfile === 'small' ? small : nvme,
  )
}

const count = (min: number): ValueType<number> => integer({ min, max: 1_000_000 })
const flag = oneOf('true', 'false')

/**
 * What operators of RocksDB turn, under RocksDB's own names: checked before anything runs, with a default for each profile. All other settings
 * of RocksDB go through by rule (pass-through.ts). The defaults of the profile nvme are those of native/state/rocksdb_options.cc; a test
 * compares them.
 */
export const rocksdbVariables = {
  rocksdbWriteBufferSize: optional({
    env: 'WEIR_ROCKSDB_WRITE_BUFFER_SIZE',
    group: 'RocksDB',
    type: bytes({ min: 64 * 1024 }),
    unit: 'bytes',
    meaning:
      "One store's memtable at the most, before it is flushed whatever the budget. By default a quarter of all write buffers, from 4 MiB to 64 MiB.",
  }),
  rocksdbMaxWriteBufferNumber: setting(
    {
      env: 'WEIR_ROCKSDB_MAX_WRITE_BUFFER_NUMBER',
      type: count(2),
      meaning: 'Memtables of a store, those being flushed included, beyond which writes wait.',
    },
    byProfile(4, 2),
  ),
  rocksdbCompression: setting(
    {
      env: 'WEIR_ROCKSDB_COMPRESSION',
      type: oneOf(...compressions),
      meaning: 'Compression of blocks on disk.',
    },
    fixed('kLZ4Compression'),
  ),
  rocksdbBottommostCompression: setting(
    {
      env: 'WEIR_ROCKSDB_BOTTOMMOST_COMPRESSION',
      type: oneOf(...compressions, 'kDisableCompressionOption'),
      meaning: 'Of the last level, which has most of the rows; kDisableCompressionOption: as the others.',
    },
    fixed('kDisableCompressionOption'),
  ),
  rocksdbCompressionPerLevel: optional({
    env: 'WEIR_ROCKSDB_COMPRESSION_PER_LEVEL',
    group: 'RocksDB',
    type: text({
      allowed: `one of ${compressions.join(', ')} for each level from 0, with colons between them`,
      pattern: new RegExp(`^${compression}(:${compression})*$`),
    }),
    meaning: 'Instead of WEIR_ROCKSDB_COMPRESSION; the last one is for the levels that follow, too.',
  }),
  rocksdbCompactionStyle: setting(
    {
      env: 'WEIR_ROCKSDB_COMPACTION_STYLE',
      type: {
        ...oneOf('kCompactionStyleLevel', 'kCompactionStyleUniversal'),
        allowed: 'kCompactionStyleLevel or kCompactionStyleUniversal; not FIFO: it would drop state',
      },
      meaning: 'Universal writes less and needs up to twice the disk and more reads.',
    },
    fixed('kCompactionStyleLevel'),
  ),
  rocksdbLevel0FileNumCompactionTrigger: setting(
    {
      env: 'WEIR_ROCKSDB_LEVEL0_FILE_NUM_COMPACTION_TRIGGER',
      type: count(1),
      meaning:
        'Flushed files of a store at which they are compacted: fewer read faster, more write less. Fewer are compacted when they have at least half as many deletions as there are rows in the older files.',
    },
    byProfile(10, 4),
  ),
  rocksdbLevel0SlowdownWritesTrigger: setting(
    {
      env: 'WEIR_ROCKSDB_LEVEL0_SLOWDOWN_WRITES_TRIGGER',
      type: count(1),
      meaning: 'Flushed files of a store at which writes are slowed down.',
    },
    fixed(20),
  ),
  rocksdbLevel0StopWritesTrigger: setting(
    {
      env: 'WEIR_ROCKSDB_LEVEL0_STOP_WRITES_TRIGGER',
      type: count(1),
      meaning: 'Flushed files of a store at which writes wait for compactions.',
    },
    fixed(36),
  ),
  rocksdbSoftPendingCompactionBytesLimit: setting(
    {
      env: 'WEIR_ROCKSDB_SOFT_PENDING_COMPACTION_BYTES_LIMIT',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning: 'Bytes that wait to be compacted at which writes are slowed down; 0: never.',
    },
    fixed(64 * GiB),
  ),
  rocksdbHardPendingCompactionBytesLimit: setting(
    {
      env: 'WEIR_ROCKSDB_HARD_PENDING_COMPACTION_BYTES_LIMIT',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning: 'Bytes that wait to be compacted at which writes wait; 0: never.',
    },
    fixed(256 * GiB),
  ),
  rocksdbTargetFileSizeBase: setting(
    {
      env: 'WEIR_ROCKSDB_TARGET_FILE_SIZE_BASE',
      type: bytes({ min: 64 * 1024 }),
      unit: 'bytes',
      meaning: 'Size of the files of the first level, and of a bulk restore.',
    },
    byProfile(256 * MiB, 32 * MiB, formatBytes),
  ),
  rocksdbMaxBytesForLevelBase: setting(
    {
      env: 'WEIR_ROCKSDB_MAX_BYTES_FOR_LEVEL_BASE',
      type: bytes({ min: 64 * 1024 }),
      unit: 'bytes',
      meaning: 'Size of the first level.',
    },
    byProfile(1024 * MiB, 128 * MiB, formatBytes),
  ),
  rocksdbMaxBytesForLevelMultiplier: setting(
    {
      env: 'WEIR_ROCKSDB_MAX_BYTES_FOR_LEVEL_MULTIPLIER',
      type: count(2),
      meaning: 'How many times larger each level is than the one above it.',
    },
    fixed(10),
  ),
  rocksdbNumLevels: setting(
    {
      env: 'WEIR_ROCKSDB_NUM_LEVELS',
      type: integer({ min: 2, max: 20 }),
      meaning: 'Levels of a store. Fewer than its files are in: it does not open.',
    },
    fixed(7),
  ),
  rocksdbMaxSubcompactions: setting(
    {
      env: 'WEIR_ROCKSDB_MAX_SUBCOMPACTIONS',
      type: integer({ min: 1, max: 64 }),
      meaning: 'Threads that one compaction may be divided over.',
    },
    fixed(1),
  ),
  rocksdbCompactionReadaheadSize: setting(
    {
      env: 'WEIR_ROCKSDB_COMPACTION_READAHEAD_SIZE',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning: 'What a compaction reads at once: more for disks that seek, and with direct I/O.',
    },
    fixed(2 * MiB),
  ),
  rocksdbBytesPerSync: setting(
    {
      env: 'WEIR_ROCKSDB_BYTES_PER_SYNC',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning: 'Files on their way are handed to the disk each time so much was written; 0: at their end.',
    },
    byProfile(0, MiB, formatBytes),
  ),
  rocksdbUseDirectReads: setting(
    {
      env: 'WEIR_ROCKSDB_USE_DIRECT_READS',
      type: flag,
      meaning: "Reads go past the kernel's page cache: the block cache is all there is.",
    },
    fixed('false'),
  ),
  rocksdbUseDirectIoForFlushAndCompaction: setting(
    {
      env: 'WEIR_ROCKSDB_USE_DIRECT_IO_FOR_FLUSH_AND_COMPACTION',
      type: flag,
      meaning: "Flushes and compactions go past the kernel's page cache.",
    },
    fixed('false'),
  ),
  rocksdbBlockSize: setting(
    {
      env: 'WEIR_ROCKSDB_BLOCK_SIZE',
      type: bytes({ min: 1024 }),
      unit: 'bytes',
      meaning: 'Rows that are read together, before compression: smaller for single rows, larger for scans.',
    },
    fixed(4096),
  ),
  rocksdbFilterPolicy: setting(
    {
      env: 'WEIR_ROCKSDB_FILTER_POLICY',
      type: text({
        allowed: 'bloomfilter:10 or ribbonfilter:10 (bits a key), or nullptr',
        pattern:
          /^((bloomfilter:\d{1,2}(\.\d+)?(:(true|false))?)|(ribbonfilter:\d{1,2}(\.\d+)?(:-?\d+)?)|nullptr)$/,
      }),
      meaning:
        'Spares reads of keys that are absent. A ribbon filter takes a third less memory and more CPU to build.',
    },
    fixed('bloomfilter:10'),
  ),
  rocksdbOptimizeFiltersForHits: setting(
    {
      env: 'WEIR_ROCKSDB_OPTIMIZE_FILTERS_FOR_HITS',
      type: flag,
      meaning: 'No filters on the last level: less memory where most keys that are read exist.',
    },
    fixed('false'),
  ),
  rocksdbIndexType: setting(
    {
      env: 'WEIR_ROCKSDB_INDEX_TYPE',
      type: oneOf('kBinarySearch', 'kTwoLevelIndexSearch', 'kBinarySearchWithFirstKey'),
      meaning: 'kTwoLevelIndexSearch cuts indexes into blocks that are cached one by one.',
    },
    fixed('kBinarySearch'),
  ),
  rocksdbPartitionFilters: setting(
    {
      env: 'WEIR_ROCKSDB_PARTITION_FILTERS',
      type: flag,
      meaning: 'Cuts filters into blocks, too; only with WEIR_ROCKSDB_INDEX_TYPE=kTwoLevelIndexSearch.',
    },
    fixed('false'),
  ),
  rocksdbMetadataBlockSize: setting(
    {
      env: 'WEIR_ROCKSDB_METADATA_BLOCK_SIZE',
      type: bytes({ min: 1024 }),
      unit: 'bytes',
      meaning: 'Of the blocks that indexes and filters are cut into.',
    },
    fixed(4096),
  ),
  rocksdbPinL0FilterAndIndexBlocksInCache: setting(
    {
      env: 'WEIR_ROCKSDB_PIN_L0_FILTER_AND_INDEX_BLOCKS_IN_CACHE',
      type: flag,
      meaning: 'Indexes and filters of flushed files stay in the block cache while the files are open.',
    },
    fixed('false'),
  ),
  rocksdbPinTopLevelIndexAndFilter: setting(
    {
      env: 'WEIR_ROCKSDB_PIN_TOP_LEVEL_INDEX_AND_FILTER',
      type: flag,
      meaning: 'The same of what leads to the blocks that indexes and filters are cut into.',
    },
    fixed('true'),
  ),
} as const

/** Settings of RocksDB for what all databases share. */
export const rocksdbProcessVariables = {
  rocksdbRateLimitBytesPerSecond: setting(
    {
      env: 'WEIR_ROCKSDB_RATE_LIMITER_BYTES_PER_SEC',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning: 'What flushes and compactions of all databases together may write in a second; 0: no limit.',
    },
    fixed(0),
  ),
  rocksdbOptions: optional({
    env: 'WEIR_ROCKSDB_OPTIONS',
    group: 'RocksDB',
    type: text({ allowed: 'settings of RocksDB as in block_size=16384;block_restart_interval=32' }),
    meaning:
      "Any settings of RocksDB in one variable; those with a variable of their own have that one's value.",
  }),
} as const
