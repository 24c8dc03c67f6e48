import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { classPath } from './toolchain.ts'

/** Compiles a folder's Java sources, which use Kafka Streams, into `classDir`, which is emptied first; about 2 s. */
export async function compileJava(sourceDir: string, classDir: string): Promise<void> {
  rmSync(classDir, { recursive: true, force: true })
  mkdirSync(classDir, { recursive: true })
  const sources = readdirSync(sourceDir).filter((name) => name.endsWith('.java'))
  const paths = sources.map((name) => join(sourceDir, name))
  const options = ['--release', '17', '-cp', classPath('streams'), '-d', classDir]
  await promisify(execFile)('javac', [...options, ...paths])
}

/** What compiled classes run with. */
export function javaClassPath(classDir: string): string {
  return [classDir, classPath('streams')].join(delimiter)
}
