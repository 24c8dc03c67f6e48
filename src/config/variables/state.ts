import { resolve } from 'node:path'

import { bytes, integer, oneOf, text } from '../value-type.ts'
import { type DefaultValue, derived, fixed, variable } from '../variable.ts'
import { DAY_MS } from './common.ts'

/** RocksDB's threads and files under the profile `small`. */
const SMALL_BACKGROUND_THREADS = 2
const SMALL_OPEN_FILES = 128

function cores(least: number, most: number): DefaultValue<number> {
  return derived(`the cores, from ${least} to ${most}`, (_, machine) =>
    Math.min(most, Math.max(least, machine.cores)),
  )
}

/** Where state is, and how it is kept. */
export const stateVariables = {
  stateDir: variable(
    {
      env: 'WEIR_STATE_DIR',
      kafka: 'state.dir',
      group: 'State',
      type: text({ allowed: 'a path' }),
      meaning: 'Where state is kept: a local disk, one process. Relative to the working directory.',
    },
    derived('/var/lib/weir where it exists and is writable, else ./weir-state', (_, machine) =>
      machine.isWritableDirectory('/var/lib/weir')
        ? '/var/lib/weir'
        : resolve(machine.workingDirectory, 'weir-state'),
    ),
  ),
  stateCleanupDelayMs: variable(
    {
      env: 'WEIR_STATE_CLEANUP_DELAY_MS',
      kafka: 'state.cleanup.delay.ms',
      group: 'State',
      type: integer({ min: 0, max: 30 * DAY_MS }),
      unit: 'ms',
      meaning:
        'How long the state of a task stays that went to another process: when the task comes back by then, only what has changed is restored.',
    },
    fixed(600_000),
  ),
  tieredStoreLocalBytes: variable(
    {
      env: 'WEIR_TIERED_STORE_LOCAL_BYTES',
      group: 'State',
      type: bytes({ min: 0 }),
      unit: 'bytes',
      meaning:
        'What each task keeps on its disk of a tiered store, where the store does not say: half for what it has put, half for what it has loaded. Cassandra has everything.',
    },
    fixed(256 * 2 ** 20),
  ),
  tieredStoreBacklogBytes: variable(
    {
      env: 'WEIR_TIERED_STORE_BACKLOG_BYTES',
      group: 'State',
      type: bytes({ min: 2 ** 20 }),
      unit: 'bytes',
      meaning:
        'How much of tiered stores may wait in each stream thread until Cassandra has it, about as heap. Beyond that tasks with tiered stores take no more records.',
    },
    fixed(64 * 2 ** 20),
  ),
  stateProfile: variable(
    {
      env: 'WEIR_STATE_PROFILE',
      group: 'State',
      type: oneOf('nvme', 'small'),
      meaning:
        "What RocksDB's settings are made for, where they are not set: nvme, a local SSD and gibibytes of memory; small, a slow or remote " +
        'disk, or little memory and state: smaller files and memtables, steadier writes, fewer threads.',
    },
    fixed('nvme'),
  ),
  flushEveryRecords: variable(
    {
      env: 'WEIR_FLUSH_EVERY_RECORDS',
      group: 'State',
      type: integer({ min: 1, max: 1_000_000_000 }),
      meaning:
        'A database is flushed to disk at the latest after this many changes: what a crash makes a task replay.',
    },
    fixed(1_000_000),
  ),
  flushIntervalMs: variable(
    {
      env: 'WEIR_FLUSH_INTERVAL_MS',
      group: 'State',
      type: integer({ min: 1_000, max: DAY_MS }),
      unit: 'ms',
      meaning: 'A database with unflushed changes is flushed at the latest after this long.',
    },
    fixed(3_600_000),
  ),
  readThreads: variable(
    {
      env: 'WEIR_READ_THREADS',
      group: 'State',
      type: integer({ min: 1, max: 64 }),
      meaning: 'Native threads that read keys from disk.',
    },
    cores(1, 8),
  ),
  restoreThreads: variable(
    {
      env: 'WEIR_RESTORE_THREADS',
      group: 'State',
      type: integer({ min: 1, max: 64 }),
      meaning: 'Native threads that restore state from changelogs.',
    },
    cores(1, 4),
  ),
  rocksdbBackgroundThreads: variable(
    {
      env: 'WEIR_ROCKSDB_BACKGROUND_THREADS',
      group: 'State',
      type: integer({ min: 2, max: 64 }),
      meaning: "RocksDB's threads for flushes and compactions, of all databases; its max_background_jobs.",
    },
    derived(`the cores, from 2 to 8; ${SMALL_BACKGROUND_THREADS} under small`, (known, machine) =>
      known.stateProfile === 'small' ? SMALL_BACKGROUND_THREADS : Math.min(8, Math.max(2, machine.cores)),
    ),
  ),
  maxOpenFilesPerTask: variable(
    {
      env: 'WEIR_ROCKSDB_MAX_OPEN_FILES',
      group: 'State',
      type: integer({ min: 20, max: 1_000_000 }),
      meaning: "Files that one task's database keeps open.",
    },
    derived(`512; ${SMALL_OPEN_FILES} under small`, ({ stateProfile }) =>
      stateProfile === 'small' ? SMALL_OPEN_FILES : 512,
    ),
  ),
} as const
