import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'weir-service-'
/** Of this process: one listener removes all of them. */
const made: string[] = []

/**
 * Makes an empty temporary folder. It is removed when this process exits; its name holds the process id, so what a killed process left
 * behind is removed by the next one that asks for a folder.
 */
export function makeScratchDir(name: string): string {
  removeOrphans()
  const dir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${name}-`))
  if (made.length === 0) process.once('exit', () => made.forEach(tryToRemove))
  made.push(dir)
  return dir
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

function removeOrphans(): void {
  for (const entry of readdirSync(tmpdir())) {
    if (!entry.startsWith(prefix)) continue
    const pid = Number(entry.slice(prefix.length).split('-')[0])
    if (!Number.isInteger(pid) || pid <= 0 || isAlive(pid)) continue
    tryToRemove(join(tmpdir(), entry))
  }
}

/** Somebody else's file system mounted there, say, is no reason not to start, nor to leave the next folder. */
function tryToRemove(dir: string): void {
  try {
    removeDir(dir)
  } catch (error) {
    console.warn(`left behind: ${dir}: ${(error as Error).message}`)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
