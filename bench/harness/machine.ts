import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { serviceDir } from '../../test/services/toolchain.ts'
import { repoDir } from './paths.ts'

/** The machine, as far as figures depend on it. */
export function describeMachine(): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: `Linux ${release()}`,
    // All of it runs on this one machine.
    shares: 'broker, system under test and bench harness share the cores',
  }
}

export function describeVersions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(repoDir, 'package.json'), 'utf8')) as { version: string }
  return {
    weir: `${manifest.version} (${git('describe', '--always', '--dirty', '--abbrev=12')})`,
    node: process.version,
    java: javaVersion(),
    kafka: jarVersion('kafka', 'kafka_2.13'),
    kafkaStreams: jarVersion('streams', 'kafka-streams'),
    kafkaStreamsRocksdb: jarVersion('streams', 'rocksdbjni'),
  }
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', repoDir, ...args], { encoding: 'utf8' }).trim()
}

function javaVersion(): string {
  const [firstLine = 'unknown'] = execFileSync('java', ['--version'], { encoding: 'utf8' }).split('\n')
  return firstLine
}

function jarVersion(service: 'kafka' | 'streams', artifact: string): string {
  const jars = readdirSync(join(serviceDir(service), 'lib'))
  const pattern = new RegExp(`^${artifact.replace('.', '\\.')}-(\\d.*)\\.jar$`)
  const version = jars.map((jar) => pattern.exec(jar)?.[1]).find(Boolean)
  if (version === undefined)
    throw new Error(`no ${artifact} jar among the ${service} jars: run scripts/setup.sh --test`)
  return version
}
