import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { compileJava, javaClassPath } from '../../test/services/java.ts'
import { repoDir } from './paths.ts'

const classDir = join(repoDir, 'build/peers/kafka-streams')

/** What each of the programs is started with. */
export const javaProperties = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  `-Dbench.schemas=${join(repoDir, 'bench/pipeline/schemas')}`,
]

export const peerClassPath = () => javaClassPath(classDir)

/** Compiles the Java programs of the benches; about 2 s. */
export function compilePeers(): Promise<void> {
  return compileJava(join(repoDir, 'bench/peers/kafka-streams'), classDir)
}

/** Runs one of the peers' helper programs to its end and returns the JSON line that it prints. */
export async function runJavaHelper<Result>(
  mainClass: string,
  args: Record<string, string | number>,
): Promise<Result> {
  const jvm = ['-Xmx1500m', '-XX:+UseParallelGC', ...javaProperties]
  const program = ['-cp', peerClassPath(), `weir.bench.${mainClass}`, ...toArguments(args)]
  const { stdout } = await promisify(execFile)('java', [...jvm, ...program])
  return JSON.parse(stdout) as Result
}

export function toArguments(args: Record<string, string | number>): string[] {
  return Object.entries(args).map(([name, value]) => `${name}=${value}`)
}
