// Exit code 0 when node_modules holds what package-lock.json asks for. npm keeps the lock of what it has installed in
// node_modules/.package-lock.json; the two are compared entry by entry, so an `npm install` needs no second install here.
import { readFileSync } from 'node:fs'

interface LockEntry {
  version?: string
  integrity?: string
  optional?: boolean
}

function lockEntries(path: string): Record<string, LockEntry> {
  return (JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> }).packages
}

function isCurrent(): boolean {
  let installed: Record<string, LockEntry>
  try {
    installed = lockEntries('node_modules/.package-lock.json')
  } catch {
    return false
  }
  return Object.entries(lockEntries('package-lock.json')).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    // An optional package may be for another system.
    if (found === undefined) return wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

process.exitCode = isCurrent() ? 0 : 1
