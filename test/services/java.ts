import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { classPath, type ServiceName } from './toolchain.ts'

/**
 * Compiles a folder's Java sources into `classDir`, which is emptied first; about 2 s.
 *
 * @param jars the service whose jars they use. Default: streams
 */
export async function compileJava(
  sourceDir: string,
  classDir: string,
  jars: ServiceName = 'streams',
): Promise<void> {
  rmSync(classDir, { recursive: true, force: true })
  mkdirSync(classDir, { recursive: true })
  const sources = readdirSync(sourceDir).filter((name) => name.endsWith('.java'))
  const paths = sources.map((name) => join(sourceDir, name))
  const options = ['--release', '17', '-cp', classPath(jars), '-d', classDir]
  await promisify(execFile)('javac', [...options, ...paths])
}

/** What compiled classes run with. @param jars as they were compiled with. Default: streams */
export function javaClassPath(classDir: string, jars: ServiceName = 'streams'): string {
  return [classDir, classPath(jars)].join(delimiter)
}
