import { randomUUID } from 'node:crypto'
import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

import { WeirError } from '../errors/weir-error.ts'

/** A holder touches its lock this often; one whose process cannot be seen from here is watched for several times as long. */
const TOUCH_MS = 1_000
const WATCH_MS = 5_000
/** How often a dead holder's lock is fought for with other processes that start at the same time. */
const ATTEMPTS_MAX = 10
/** A process that mistook a fresh lock for a dead one puts it back within this time. */
const CONFIRM_MS = 20

/** Who holds a lock. A process id alone would be taken over by whoever gets the number next, and is 1 in every container. */
interface Holder {
  readonly pid: number
  /** Clock ticks from the machine's boot to the process's start. */
  readonly startTicks: string
  /** Which process ids `pid` is one of. */
  readonly pidNamespace: string
  readonly bootId: string
  readonly host: string
  /** Tells two locks of one process apart. */
  readonly token: string
}

/**
 * A lock file that names its holder. A holder that can be seen (same boot, same process-id namespace) is looked up; one in another container
 * or on another machine counts as alive while it goes on touching the file. RocksDB's own lock on every database stands behind this one,
 * which is there to say whose the folder is before anything is opened.
 */
export class DirectoryLock {
  readonly #file: string
  readonly #token: string
  readonly #touching: NodeJS.Timeout

  private constructor(file: string, token: string) {
    this.#file = file
    this.#token = token
    this.#touching = setInterval(() => {
      const now = new Date()
      // A file that cannot be touched for a while is at worst taken for a dead holder's.
      utimes(file, now, now).catch(() => {})
    }, TOUCH_MS)
    this.#touching.unref()
  }

  /** @throws WeirError state-dir-locked; an error of the file system */
  static async acquire(file: string): Promise<DirectoryLock> {
    const self = await describeSelf()
    const aside = `${file}.${self.token}`
    await writeFile(aside, JSON.stringify(self))
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        // A link is made by one process only, and the file is whole when it appears.
        if (await linked(aside, file)) {
          await delay(CONFIRM_MS)
          const now = await readOrNull(file)
          if (now !== null && parseHolder(now)?.token === self.token)
            return new DirectoryLock(file, self.token)
          continue
        }
        const text = await readOrNull(file)
        if (text === null) continue
        const holder = parseHolder(text)
        if (holder === null || (await isAlive(holder, self, file))) throw locked(file, holder)
        await removeDead(file, text, `${aside}.dead`)
      }
      throw locked(file, null)
    } finally {
      await rm(aside, { force: true })
    }
  }

  /** Who holds a lock now, in words, without taking it; null: nobody. */
  static async holder(file: string): Promise<string | null> {
    const text = await readOrNull(file)
    if (text === null) return null
    const holder = parseHolder(text)
    return holder === null || (await isAlive(holder, await describeSelf(), file)) ? nameOf(holder) : null
  }

  async release(): Promise<void> {
    clearInterval(this.#touching)
    const text = await readOrNull(this.#file)
    if (text !== null && parseHolder(text)?.token === this.#token) await rm(this.#file, { force: true })
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes a dead holder's file away; another process may have done so, and locked, since it was read: then its file is put back. */
async function removeDead(file: string, text: string, aside: string): Promise<void> {
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await readOrNull(aside)) !== text) await linked(aside, file)
  await rm(aside, { force: true })
}

async function isAlive(holder: Holder, self: Holder, file: string): Promise<boolean> {
  if (holder.bootId === self.bootId && holder.pidNamespace === self.pidNamespace) {
    return (await startTicksOf(holder.pid)) === holder.startTicks
  }
  const before = await touchedMs(file)
  await delay(WATCH_MS)
  return (await touchedMs(file)) !== before
}

async function touchedMs(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return -1
  }
}

async function describeSelf(): Promise<Holder> {
  return {
    pid: process.pid,
    startTicks: (await startTicksOf(process.pid)) ?? '',
    pidNamespace: await readlink('/proc/self/ns/pid'),
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    host: hostname(),
    token: randomUUID(),
  }
}

/** @returns null when there is no such process, or only its remains */
async function startTicksOf(pid: number): Promise<string | null> {
  const line = await readOrNull(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold blanks and parentheses; state is the first field after it, starttime the twentieth.
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return null
  return fields[19] ?? null
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}

function parseHolder(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Holder
    return typeof holder.pid === 'number' && typeof holder.token === 'string' ? holder : null
  } catch {
    return null
  }
}

function nameOf(holder: Holder | null): string {
  return holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}`
}

function locked(file: string, holder: Holder | null): WeirError {
  return new WeirError(
    'state-dir-locked',
    `${nameOf(holder)} uses this state folder (lock file ${file}); stop it, or set WEIR_STATE_DIR to another folder`,
  )
}
