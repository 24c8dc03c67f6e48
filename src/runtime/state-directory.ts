import { randomUUID } from 'node:crypto'
import {
  access,
  constants,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'

import { errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { DirectoryLock } from './directory-lock.ts'

/** Says whose folder it is. */
const IDENTITY_FILE = 'weir.json'
/**
 * Raised when an older Weir could not read what a newer one writes; lower ones are read, too. In every format `lock`, and in `weir.json` format, applicationId and
 * processId, mean what they mean here. test/support/future-build.ts raises it.
 */
const FORMAT = 1
/** Where what a newer version has written is put: `format-2`. */
const NEWER = /^format-\d+$/

/** Whether this version reads a state folder of such a format. */
export function readsStateFormat(format: unknown): boolean {
  return Number.isInteger(format) && (format as number) >= 1 && (format as number) <= FORMAT
}

interface Identity {
  readonly format: number
  readonly applicationId: string
  readonly processId: string
}

/**
 * `<stateDir>/<application.id>`: a folder for each task (`0_3`), and
 *
 * - `weir.json`: the format, the application, and the process id that is kept over restarts;
 * - `lock`: the process that uses the folder now (see directory-lock.ts);
 * - `format-2`: what a newer version had here; nothing reads it.
 */
export class StateDirectory {
  readonly path: string
  /** A UUID that stays with the folder: a process that comes back with its disk is the same process. */
  readonly processId: string
  /** Where the state is now that a newer version had written, when it was found by this start; null when none was. */
  readonly newer: string | null
  readonly #lock: DirectoryLock

  private constructor(directory: string, processId: string, newer: string | null, lock: DirectoryLock) {
    this.path = directory
    this.processId = processId
    this.newer = newer
    this.#lock = lock
  }

  /**
   * Creates the folder when it is missing, and locks it. State that a newer version has written is moved into a folder of its own: the task's state is restored.
   *
   * @throws WeirError state-dir-locked with who holds it, state-dir-foreign, state-dir-read-only, disk-full, state-failed
   */
  static async open(stateDir: string, applicationId: string): Promise<StateDirectory> {
    // The only names that are safe in a topic and not in a path.
    if (applicationId === '.' || applicationId === '..') {
      throw new WeirError(
        'config-invalid',
        `WEIR_APPLICATION_ID=${applicationId}: cannot be the name of a folder`,
      )
    }
    const directory = path.join(stateDir, applicationId)
    try {
      await makeDirectory(directory)
      // Whose it is comes before the lock: nothing is written into a folder that is not Weir's.
      await readIdentity(directory, applicationId)
      const lock = await DirectoryLock.acquire(path.join(directory, 'lock'))
      try {
        // Whoever had it until now may have written it anew.
        const { processId = randomUUID(), format = 0 } = (await readIdentity(directory, applicationId)) ?? {}
        const newer = format > FORMAT ? await moveNewer(directory, format) : null
        if (format !== FORMAT) await writeIdentity(directory, applicationId, processId)
        return new StateDirectory(directory, processId, newer, lock)
      } catch (error) {
        await lock.release()
        throw error
      }
    } catch (error) {
      throw explain(error, directory)
    }
  }

  /** Gives the folder free. */
  async close(): Promise<void> {
    await this.#lock.release()
  }
}

/**
 * Renames the folder of a task whose database is damaged, for whoever wants to know why; the one that was set aside before goes.
 *
 * @returns its new name
 */
export async function setAside(taskFolder: string): Promise<string> {
  const aside = `${taskFolder}.damaged`
  await rm(aside, { recursive: true, force: true })
  await rename(taskFolder, aside)
  return aside
}

/** Creates a folder and those above it. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    // Node calls a read-only file system ENOENT here; the nearest folder that is there says what is wrong.
    let parent = directory
    while (parent !== path.dirname(parent)) {
      parent = path.dirname(parent)
      try {
        await access(parent, constants.W_OK)
        break
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      }
    }
    throw error
  }
}

async function readIdentity(directory: string, applicationId: string): Promise<Identity | null> {
  const file = path.join(directory, IDENTITY_FILE)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const [stranger] = (await readdir(directory)).filter((name) => !isOurs(name))
    if (stranger === undefined) return null
    throw foreign(directory, `it holds ${stranger} and no ${IDENTITY_FILE}`)
  }
  const identity = parseIdentity(text)
  if (identity === null) throw foreign(directory, `${IDENTITY_FILE} cannot be read`)
  if (identity.applicationId !== applicationId)
    throw foreign(directory, `it belongs to application ${identity.applicationId}`)
  return identity
}

/** What a first start that was interrupted may have left. */
function isOurs(name: string): boolean {
  return (
    name === IDENTITY_FILE ||
    name.startsWith(`${IDENTITY_FILE}.`) ||
    name === 'lock' ||
    name.startsWith('lock.')
  )
}

function parseIdentity(text: string): Identity | null {
  try {
    const { format, applicationId, processId } = JSON.parse(text) as Partial<Identity>
    if (
      !Number.isInteger(format) ||
      format! < 1 ||
      typeof applicationId !== 'string' ||
      typeof processId !== 'string'
    )
      return null
    return { format: format!, applicationId, processId }
  } catch {
    return null
  }
}

/** Written aside and moved into place, so that it is whole or not there. */
async function writeIdentity(directory: string, applicationId: string, processId: string): Promise<void> {
  const identity: Identity = { format: FORMAT, applicationId, processId }
  const file = path.join(directory, IDENTITY_FILE)
  const aside = `${file}.${process.pid}`
  await writeFile(aside, `${JSON.stringify(identity)}\n`, { flush: true })
  await rename(aside, file)
}

/**
 * Moves what a newer version has written out of the way, as a whole, so that it can be put back by hand. Interrupted, it goes on at the next start: `weir.json` is
 * written anew when all is moved. REQUIRES the lock.
 *
 * @returns where it is now
 */
async function moveNewer(directory: string, format: number): Promise<string> {
  const newer = path.join(directory, `format-${format}`)
  await mkdir(newer, { recursive: true })
  await copyFile(path.join(directory, IDENTITY_FILE), path.join(newer, IDENTITY_FILE))
  for (const name of await readdir(directory)) {
    if (isOurs(name) || NEWER.test(name)) continue
    const to = path.join(newer, name)
    await rm(to, { recursive: true, force: true })
    await rename(path.join(directory, name), to)
  }
  return newer
}

function foreign(directory: string, why: string): WeirError {
  return new WeirError(
    'state-dir-foreign',
    `state folder ${directory}: ${why}; set WEIR_STATE_DIR to another folder, or remove this one`,
  )
}

function explain(error: unknown, directory: string): WeirError {
  if (error instanceof WeirError) return error
  const { code } = error as NodeJS.ErrnoException
  const reason = messageOf(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new WeirError(
      'state-dir-read-only',
      `state folder ${directory} (WEIR_STATE_DIR) cannot be written to: ${reason}`,
      { cause: error },
    )
  }
  const known = errorCodeOf(error)
  return new WeirError(
    known === 'internal' ? 'state-failed' : known,
    `state folder ${directory} (WEIR_STATE_DIR): ${reason}`,
    {
      cause: error,
    },
  )
}
