import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** As Debian and others call it. */
const names = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
]

/** The machine's Chromium; null: it has none. */
export function findChromium(path = process.env.PATH ?? ''): string | null {
  const files = names.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name)))
  return files.find(isExecutable) ?? null
}

/** Without its sandbox, since tests run as root, and without the allocator that scripts/node loads: Chromium has its own. */
export function startChromium(executablePath: string): Promise<Browser> {
  const { LD_PRELOAD: _, ...env } = process.env
  return chromium.launch({ executablePath, chromiumSandbox: false, env })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
