import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { makeScratchDir } from '../services/scratch-dir.ts'

const repository = path.resolve(import.meta.dirname, '../..')

/** The number of each format that members and disks keep, where it is written down, and what is raised to the next. */
const formats = {
  /** Of what goes with the committed offsets. */
  offsets: { file: 'src/commit/offset-metadata.ts', line: 'const MAGIC = 2\n', next: 'const MAGIC = 3\n' },
  /** Of the ends of changelogs, a part of it. */
  ends: { file: 'src/commit/changelog-ends.ts', line: 'const VERSION = 1\n', next: 'const VERSION = 2\n' },
  /** Of the state folder. */
  folder: { file: 'src/runtime/state-directory.ts', line: 'const FORMAT = 1\n', next: 'const FORMAT = 2\n' },
  /** Of what a task's folder says of its rows. */
  layouts: { file: 'src/runtime/store-layouts.ts', line: 'const FORMAT = 1\n', next: 'const FORMAT = 2\n' },
} as const

export type Format = keyof typeof formats

/**
 * A later version of Weir: the sources of this one, with the numbers of some formats raised by one. It reads what this version writes, and writes what this
 * version does not read.
 *
 * @returns the folder of its sources, for `WeirProcess.start`
 */
export function futureBuild(raised: readonly Format[]): string {
  const folder = makeScratchDir('future')
  for (const copied of ['src', 'test/support/topologies', 'package.json'])
    cpSync(path.join(repository, copied), path.join(folder, copied), { recursive: true })
  mkdirSync(path.join(folder, 'build'))
  for (const linked of ['node_modules', 'build/Release'])
    symlinkSync(path.join(repository, linked), path.join(folder, linked))
  for (const name of raised) {
    const { file, line, next } = formats[name]
    const text = readFileSync(path.join(folder, file), 'utf8')
    if (!text.includes(line)) throw new Error(`${file} has no line ${line}`)
    writeFileSync(path.join(folder, file), text.replace(line, next))
  }
  return folder
}
