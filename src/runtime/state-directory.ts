import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { DirectoryLock } from './directory-lock.ts'

/** Says whose folder it is. */
const IDENTITY_FILE = 'weir.json'
/** Raised when an older Weir could not read what a newer one wrote. */
const FORMAT = 1

interface Identity {
  readonly format: number
  readonly applicationId: string
  readonly processId: string
}

/**
 * `<stateDir>/<application.id>`: a folder for each task (`0_3`), and
 *
 * - `weir.json`: the format, the application, and the process id that is kept over restarts;
 * - `lock`: the process that uses the folder now (see directory-lock.ts).
 */
export class StateDirectory {
  readonly path: string
  /** A UUID that stays with the folder: a process that comes back with its disk is the same process. */
  readonly processId: string
  readonly #lock: DirectoryLock

  private constructor(directory: string, processId: string, lock: DirectoryLock) {
    this.path = directory
    this.processId = processId
    this.#lock = lock
  }

  /**
   * Creates the folder when it is missing, and locks it.
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
      const identity = await readIdentity(directory, applicationId)
      const lock = await DirectoryLock.acquire(path.join(directory, 'lock'))
      try {
        const processId = identity?.processId ?? (await writeIdentity(directory, applicationId))
        return new StateDirectory(directory, processId, lock)
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
  if (identity.format !== FORMAT) {
    throw foreign(
      directory,
      `it has format ${identity.format} and this version of Weir reads format ${FORMAT}`,
    )
  }
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
    if (typeof format !== 'number' || typeof applicationId !== 'string' || typeof processId !== 'string')
      return null
    return { format, applicationId, processId }
  } catch {
    return null
  }
}

/** Written aside and moved into place, so that it is whole or not there. */
async function writeIdentity(directory: string, applicationId: string): Promise<string> {
  const identity: Identity = { format: FORMAT, applicationId, processId: randomUUID() }
  const file = path.join(directory, IDENTITY_FILE)
  const aside = `${file}.${process.pid}`
  await writeFile(aside, `${JSON.stringify(identity)}\n`, { flush: true })
  await rename(aside, file)
  return identity.processId
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
