import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { classPath } from '../../test/services/toolchain.ts'
import { repoDir } from './paths.ts'

const sourceDir = join(repoDir, 'bench/peers/kafka-streams')
const classDir = join(repoDir, 'build/peers/kafka-streams')

export const peerClassPath = () => [classDir, classPath('streams')].join(delimiter)

/** Compiles the Java programs of the benches; about 2 s. */
export async function compilePeers(): Promise<void> {
  rmSync(classDir, { recursive: true, force: true })
  mkdirSync(classDir, { recursive: true })
  const sources = readdirSync(sourceDir).filter((name) => name.endsWith('.java'))
  const paths = sources.map((name) => join(sourceDir, name))
  await promisify(execFile)('javac', [
    '--release',
    '17',
    '-cp',
    classPath('streams'),
    '-d',
    classDir,
    ...paths,
  ])
}

/** Runs one of the peers' helper programs to its end and returns the JSON line that it prints. */
export async function runJavaHelper<Result>(
  mainClass: string,
  args: Record<string, string | number>,
): Promise<Result> {
  const jvm = ['-Xmx1500m', '-XX:+UseParallelGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
  const program = ['-cp', peerClassPath(), `weir.bench.${mainClass}`, ...toArguments(args)]
  const { stdout } = await promisify(execFile)('java', [...jvm, ...program])
  return JSON.parse(stdout) as Result
}

export function toArguments(args: Record<string, string | number>): string[] {
  return Object.entries(args).map(([name, value]) => `${name}=${value}`)
}
