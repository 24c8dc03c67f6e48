import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folder that the set-up fills: `WEIR_TOOLCHAIN_DIR`, or `weir` in the user's cache folder. */
export function toolchainDir(): string {
  const cacheDir = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return process.env.WEIR_TOOLCHAIN_DIR || join(cacheDir, 'weir')
}

export type ServiceName = 'kafka' | 'cassandra' | 'registry' | 'streams'

/** A service's folder in the toolchain folder. Throws when the set-up has not filled it. */
export function serviceDir(name: ServiceName): string {
  const dir = join(toolchainDir(), 'services', name)
  if (!existsSync(dir)) throw new Error(`${dir} is missing: run scripts/setup.sh --test`)
  return dir
}

/** The class path of a service whose jars lie in its `lib` folder. */
export function classPath(name: ServiceName): string {
  return join(serviceDir(name), 'lib', '*')
}
