import { defaultMemoryBytes, memoryBytesMin } from '../memory.ts'
import { bytes, integer } from '../value-type.ts'
import { derived, optional, variable } from '../variable.ts'
import { MiB } from './common.ts'

/** What the process may use. */
export const memoryVariables = {
  memoryBytes: variable(
    {
      env: 'WEIR_MEMORY_BYTES',
      group: 'Memory',
      type: bytes({ min: memoryBytesMin }),
      unit: 'bytes',
      meaning: 'What the whole process may use; divided as shown under Memory.',
    },
    derived("80 % of the control group's limit; 2 GiB without one", (_, machine) =>
      defaultMemoryBytes(machine),
    ),
  ),
  statestoreCacheMaxBytes: optional({
    env: 'WEIR_STATESTORE_CACHE_MAX_BYTES',
    kafka: 'statestore.cache.max.bytes',
    group: 'Memory',
    type: bytes({ min: 0 }),
    unit: 'bytes',
    meaning: 'Decoded values of all stores of all threads, instead of the share.',
  }),
  rocksdbBlockCacheBytes: optional({
    env: 'WEIR_ROCKSDB_BLOCK_CACHE_BYTES',
    group: 'Memory',
    type: bytes({ min: 8 * MiB }),
    unit: 'bytes',
    meaning: "RocksDB's one block cache, write buffers included, instead of the share.",
  }),
  rocksdbWriteBufferBytes: optional({
    env: 'WEIR_ROCKSDB_WRITE_BUFFER_BYTES',
    group: 'Memory',
    type: bytes({ min: 4 * MiB }),
    unit: 'bytes',
    meaning:
      'Write buffers of all databases, charged to the block cache; at most three quarters of it, half by default.',
  }),
  tasksMax: optional({
    env: 'WEIR_TASKS_MAX',
    group: 'Memory',
    type: integer({ min: 1, max: 100_000 }),
    meaning:
      'As many tasks as memory is planned for: refused at the start when they do not fit, a warning when more are assigned. ' +
      'By default as many as fit.',
  }),
} as const
