import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'weir-service-'

/**
 * Makes an empty temporary folder. It is removed when this process exits; its name holds the process id, so what a killed process left
 * behind is removed by the next one that asks for a folder.
 */
export function makeScratchDir(name: string): string {
  removeOrphans()
  const dir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${name}-`))
  process.once('exit', () => removeDir(dir))
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
    try {
      removeDir(join(tmpdir(), entry))
    } catch (error) {
      // Somebody else's file system mounted there, say: no reason not to start.
      console.warn(`left behind: ${entry}: ${(error as Error).message}`)
    }
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
