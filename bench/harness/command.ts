import { randomInt } from 'node:crypto'
import { join, relative } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { repoDir } from './paths.ts'
import { type Ratio, writeResults } from './results.ts'
import type { NumberOption, Workload } from './workload.ts'

/** Adds `bench <name>`: runs the workload, prints its ratios and writes its results. */
export function addWorkload<Name extends string>(program: Command, workload: Workload<Name>): void {
  const { name, description, variants, systems, numbers } = workload
  const command = program
    .command(name)
    .description(description)
    .option('--variants <names>', `of ${variants.join(', ')}`, listOf(variants), variants)
    .option('--systems <names>', `of ${systems.join(', ')}`, listOf(systems), systems)
    .option(
      '--peers <names>',
      'which peers to run beside Weir; none for Weir alone',
      listOf([...systems, 'none']),
    )
    .option('--seed <n>', 'of keys and values; random by default', positiveInteger)
  for (const [number, [defaultValue, meaning]] of Object.entries<NumberOption>(numbers))
    command.option(`--${kebabCase(number)} <n>`, meaning, positiveInteger, defaultValue)
  addOutputOption(
    command,
    `bench/results/${name}.json when everything was run, else build/bench/${name}.json`,
  )
  command.action(async ({ peers, seed = randomInt(1, 2 ** 31), output, ...given }) => {
    const chosen: readonly string[] =
      peers === undefined
        ? given.systems
        : systems.filter((system) => system === 'weir' || peers.includes(system))
    const isComplete =
      variants.every((variant) => given.variants.includes(variant)) && chosen.length === systems.length
    const results = await workload.run({ ...given, seed, systems: chosen }, (line) => console.log(line))
    for (const ratio of results.ratios) console.log(lineOf(ratio))
    write(output ?? resultsFile(name, isComplete), results)
  })
}

export function addOutputOption(command: Command, meaning: string): void {
  command.option('--output <file>', `where the results go; ${meaning}`)
}

/** @param isComplete whether they may stand among the committed results */
export function resultsFile(name: string, isComplete: boolean): string {
  return join(repoDir, isComplete ? 'bench/results' : 'build/bench', `${name}.json`)
}

export function write(file: string, results: object): void {
  writeResults(file, results)
  console.log(`written to ${relative(process.cwd(), file)}`)
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number, at least 1')
  return value
}

export function listOf(allowed: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim())
    const unknown = names.find((name) => !allowed.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is none of ${allowed.join(', ')}`)
    return names
  }
}

/** valueBytes -> value-bytes */
function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function lineOf(ratio: Ratio): string {
  const { variant, system, peerSystem, recordsPerCpuSecond, recordsPerSecond, peakRssBytes } = ratio
  return (
    `${variant}: ${system} does ${recordsPerCpuSecond} x the records per CPU-second of ${peerSystem}, ` +
    `${recordsPerSecond} x the records per second, with ${peakRssBytes} x the memory`
  )
}
