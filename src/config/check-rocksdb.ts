import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { messageOf } from '../errors/weir-error.ts'
import { type RocksDbSettings, StateMemory, TaskDatabase } from '../native.ts'
import type { StoreDefinition, TopologyDefinition } from '../topology/definition.ts'
import type { Config } from './config.ts'
import { nearestName } from './nearest-name.ts'
import { rocksDbVariable } from './rocksdb-settings.ts'

/** They depend on the file system that the database is on, and the one for the check is on another. */
const ofTheFileSystem = new Set(['use_direct_reads', 'use_direct_io_for_flush_and_compaction'])

/**
 * Finds out whether RocksDB takes the settings of the process and of the topology's stores: each by itself, then all together in a database in
 * a temporary folder.
 *
 * @returns one line for each that is wrong, which names the variable or the store
 */
export async function checkRocksDb(config: Config, topology?: TopologyDefinition): Promise<string[]> {
  const tuned = [
    ...(topology?.subtopologies ?? []).flatMap(({ stores }) => stores),
    ...(topology?.globalStores ?? []).map(({ store }) => store),
  ].filter(({ rocksdb }) => rocksdb !== undefined)
  if (Object.keys(config.rocksdb).length === 0 && tuned.length === 0) return []
  const problems = settingProblems(config.rocksdb, rocksDbVariable, () => null)
  for (const { name, rocksdb = {} } of tuned) {
    problems.push(
      ...settingProblems(rocksdb, (setting) => `store ${name}: rocksdb: ${setting}`, whyNotOfAStore),
    )
  }
  if (problems.length === 0) problems.push(...(await togetherProblems(config, tuned)))
  return problems
}

function whyNotOfAStore(name: string): string | null {
  const setting = TaskDatabase.rocksdbSettings().find((known) => known.name === name)
  if (setting?.scope !== 'database') return null
  return `it is of the whole database, not of one store: set ${rocksDbVariable(name)}`
}

function settingProblems(
  settings: RocksDbSettings,
  label: (name: string) => string,
  whyNot: (name: string) => string | null,
): string[] {
  const known = TaskDatabase.rocksdbSettings()
  return Object.entries(settings).flatMap(([name, value]) => {
    const setting = known.find((candidate) => candidate.name === name)
    if (setting === undefined) return [`${label(name)}: ${unknownSetting(name)}`]
    const why = whyNot(name)
    if (why !== null) return [`${label(name)}: ${why}`]
    try {
      TaskDatabase.checkRocksdb(name, value)
      return []
    } catch (error) {
      return [
        `${label(name)}: ${messageOf(error)}: expected a value such as its default, ${setting.rocksdbDefault}`,
      ]
    }
  })
}

function unknownSetting(name: string): string {
  const names = TaskDatabase.rocksdbSettings().map((setting) => setting.name)
  const nearest = nearestName(name, names)
  return `RocksDB has no setting ${name}${nearest === null ? '; docs/configuration.md lists those that matter' : `; did you mean ${nearest}?`}`
}

async function togetherProblems(config: Config, tuned: readonly StoreDefinition[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-check-'))
  const memory = StateMemory.acquire({
    blockCacheBytes: config.memory.blockCacheBytes,
    writeBufferBytes: config.memory.writeBufferBytes,
    backgroundThreads: config.rocksdbBackgroundThreads,
    readThreads: config.readThreads,
    maxOpenFiles: config.maxOpenFilesPerTask,
    rateLimitBytesPerSecond: config.rocksdbRateLimitBytesPerSecond,
  })
  const settings = Object.fromEntries(
    Object.entries(config.rocksdb).filter(([name]) => !ofTheFileSystem.has(name)),
  )
  const problems: string[] = []
  /** @returns whether a database opens */
  const opens = async (
    name: string,
    rocksdb: RocksDbSettings | undefined,
    label: string,
  ): Promise<boolean> => {
    try {
      const database = await TaskDatabase.open(memory, {
        path: join(folder, name),
        partition: 0,
        stores: [
          { name, timestamped: false, changelogTopic: null, ...(rocksdb !== undefined && { rocksdb }) },
        ],
        flushEveryRecords: config.flushEveryRecords,
        flushIntervalMs: config.flushIntervalMs,
        rocksdb: settings,
      })
      await database.close()
      return true
    } catch (error) {
      problems.push(`${label}: RocksDB refuses these settings together: ${messageOf(error)}`)
      return false
    }
  }
  try {
    if (await opens('all', undefined, `WEIR_ROCKSDB_* (${Object.keys(settings).join(', ')})`)) {
      for (const { name, rocksdb = {} } of tuned)
        await opens(name, rocksdb, `store ${name}: rocksdb (${Object.keys(rocksdb).join(', ')})`)
    }
  } finally {
    memory.close()
    await rm(folder, { recursive: true, force: true })
  }
  return problems
}
