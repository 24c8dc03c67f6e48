import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import { errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { type InspectedStore, TaskDatabase } from '../native.ts'
import { DirectoryLock } from '../runtime/directory-lock.ts'
import { readsStateFormat } from '../runtime/state-directory.ts'
import { ownName } from '../topology/tiered-stores.ts'

/** A store's rows as `stores.json` of its task's folder describes them. */
interface StoreLayout {
  readonly rows?: string
  readonly key?: string
  readonly value?: string
}

export interface InspectedTask {
  readonly task: string
  readonly stores: readonly (InspectedStore & { readonly layout: StoreLayout | null })[]
  /** Of all files in the folder. */
  readonly bytes: number
  /** Why it cannot be read; null when it can. */
  readonly damage: string | null
}

export interface InspectedApplication {
  readonly path: string
  /** null: a task's folder that stands alone. */
  readonly applicationId: string | null
  readonly processId: string | null
  readonly tasks: readonly InspectedTask[]
  /** Other folders in it: what was set aside. */
  readonly others: readonly string[]
}

export interface InspectOptions {
  /** Read every row: exact counts, every checksum checked. */
  readonly count: boolean
}

const IDENTITY_FILE = 'weir.json'
const allowed = "expected a WEIR_STATE_DIR, an application's folder in it, or a task's folder in that"

/**
 * Reads a state folder that no process uses: a WEIR_STATE_DIR, an application's folder in it, or a task's. Writes nothing.
 *
 * @throws WeirError config-invalid for what is no state folder, state-dir-locked for one in use, state-dir-foreign for one that this version
 * does not know
 */
export async function inspectStateFolder(
  folder: string,
  options: InspectOptions,
): Promise<InspectedApplication[]> {
  const directory = path.resolve(folder)
  const found = await stat(directory).catch(() => null)
  if (found === null) throw noStateFolder(folder, 'there is no such folder')
  if (!found.isDirectory()) throw noStateFolder(folder, 'it is no folder')
  if (await exists(path.join(directory, IDENTITY_FILE))) return [await inspectApplication(directory, options)]
  if (await isDatabase(directory)) {
    await refuseInUse(path.dirname(directory), folder)
    const tasks = [await inspectTask(directory, options)]
    return [{ path: directory, applicationId: null, processId: null, tasks, others: [] }]
  }
  const applications: InspectedApplication[] = []
  for (const name of await foldersIn(directory)) {
    const inner = path.join(directory, name)
    if (await exists(path.join(inner, IDENTITY_FILE)))
      applications.push(await inspectApplication(inner, options))
  }
  if (applications.length === 0)
    throw noStateFolder(folder, `there is neither a ${IDENTITY_FILE} nor a task's database in it`)
  return applications
}

async function inspectApplication(directory: string, options: InspectOptions): Promise<InspectedApplication> {
  const { applicationId, processId } = await readIdentity(directory)
  await refuseInUse(directory, directory)
  const folders = await foldersIn(directory)
  const tasks: InspectedTask[] = []
  for (const name of folders.filter(isTask).sort(byTask))
    tasks.push(await inspectTask(path.join(directory, name), options))
  return { path: directory, applicationId, processId, tasks, others: folders.filter((name) => !isTask(name)) }
}

async function readIdentity(directory: string): Promise<{ applicationId: string; processId: string }> {
  const file = path.join(directory, IDENTITY_FILE)
  try {
    const { format, applicationId, processId } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      unknown
    >
    if (readsStateFormat(format) && typeof applicationId === 'string' && typeof processId === 'string')
      return { applicationId, processId }
  } catch {
    // Said below.
  }
  throw new WeirError('state-dir-foreign', `${file} is not one that this version of Weir can read`)
}

async function refuseInUse(directory: string, given: string): Promise<void> {
  const holder = await DirectoryLock.holder(path.join(directory, 'lock'))
  if (holder !== null)
    throw new WeirError(
      'state-dir-locked',
      `${given} is in use: ${holder} has it; stop it, or inspect a copy`,
    )
}

async function inspectTask(directory: string, { count }: InspectOptions): Promise<InspectedTask> {
  const task = path.basename(directory)
  try {
    const layouts = await readLayouts(directory)
    const stores = await TaskDatabase.inspect(directory, count)
    return {
      task,
      stores: stores
        .map((store) => ({ ...store, layout: layouts[ownName(store.name)] ?? null }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      bytes: await bytesIn(directory),
      damage: null,
    }
  } catch (error) {
    const code = errorCodeOf(error)
    if (code === 'state-dir-locked') throw new WeirError(code, messageOf(error), { cause: error })
    return { task, stores: [], bytes: await bytesIn(directory), damage: messageOf(error) }
  }
}

async function readLayouts(directory: string): Promise<Readonly<Record<string, StoreLayout>>> {
  const text = await readFile(path.join(directory, 'stores.json'), 'utf8').catch(() => null)
  if (text === null) return {}
  const { stores } = JSON.parse(text) as { stores?: Record<string, StoreLayout> }
  return stores ?? {}
}

function isTask(name: string): boolean {
  return /^\d+_\d+$/.test(name)
}

function byTask(a: string, b: string): number {
  const [first, second] = [a, b].map((name) => name.split('_').map(Number))
  return first![0]! - second![0]! || first![1]! - second![1]!
}

/** A database whose CURRENT is gone is one all the same: a damaged one. */
async function isDatabase(directory: string): Promise<boolean> {
  return (await exists(path.join(directory, 'CURRENT'))) || (await exists(path.join(directory, 'IDENTITY')))
}

async function foldersIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size
  }
  return bytes
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null
}

function noStateFolder(folder: string, why: string): WeirError {
  return new WeirError('config-invalid', `${folder} is no state folder: ${why}; ${allowed}`)
}
