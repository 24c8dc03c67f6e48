import { randomInt } from 'node:crypto'
import { join, relative } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { countFamilies, countVariants, runCount } from './harness/count-workload.ts'
import { repoDir } from './harness/paths.ts'
import { restoreSystemNames, restoreVariants, runRestore } from './harness/restore-workload.ts'
import { type Ratio, writeResults } from './harness/results.ts'

const program = new Command('bench').description(
  'Measures Weir beside its peers on a real broker; see bench/README.md.',
)

program
  .command('count')
  .description('records counted by key: get, put, changelog, output')
  .option('--records <n>', 'input records', positiveInteger, 4_000_000)
  .option('--keys <n>', 'keys of the uniform variants', positiveInteger, 1_000_000)
  .option('--hot-keys <n>', 'keys of the variant hot', positiveInteger, 50_000)
  .option('--runs <n>', 'rounds: every system once in each', positiveInteger, 2)
  .option('--variants <names>', `of ${countVariants.join(', ')}`, listOf(countVariants), countVariants)
  .option(
    '--peers <names>',
    'which peers to run: kafka-streams; none for Weir alone',
    listOf(['kafka-streams', 'none']),
  )
  .option('--systems <names>', `exactly these, of ${countFamilies.join(', ')}`, listOf(countFamilies))
  .option('--seed <n>', 'of keys and values; random by default', positiveInteger)
  .option('--threads <n>', 'stream threads', positiveInteger, 1)
  .option('--partitions <n>', 'of the input topic', positiveInteger, 8)
  .option('--value-bytes <n>', 'bytes of a value', positiveInteger, 100)
  .option('--memory-bytes <n>', 'WEIR_MEMORY_BYTES', positiveInteger, 2 ** 31)
  .option('--timeout-seconds <n>', 'of one run', positiveInteger, 900)
  .option(
    '--output <file>',
    'where the results go; bench/results/count.json when everything was run, else build/bench/count.json',
  )
  .action(async (given) => {
    const peers: string[] = given.peers ?? ['kafka-streams']
    const families: string[] = given.systems ?? [...peers.filter((peer) => peer !== 'none'), 'weir']
    const isComplete =
      countVariants.every((name) => given.variants.includes(name)) && families.length === countFamilies.length
    const output =
      given.output ?? join(repoDir, isComplete ? 'bench/results/count.json' : 'build/bench/count.json')
    const results = await runCount(
      {
        records: given.records,
        keys: given.keys,
        hotKeys: given.hotKeys,
        rounds: given.runs,
        variants: given.variants,
        families,
        seed: given.seed ?? randomInt(1, 2 ** 31),
        partitions: given.partitions,
        threads: given.threads,
        valueBytes: given.valueBytes,
        commitIntervalMs: 30_000,
        memoryBytes: given.memoryBytes,
        timeoutMs: given.timeoutSeconds * 1_000,
      },
      (line) => console.log(line),
    )
    for (const ratio of results.ratios) console.log(lineOf(ratio))
    writeResults(output, results)
    console.log(`written to ${relative(process.cwd(), output)}`)
  })

program
  .command('restore')
  .description('a lost store is restored from its changelog, until it is read at its usual speed')
  .option('--records <n>', 'changelog records', positiveInteger, 4_000_000)
  .option(
    '--keys <n>',
    'keys of the variant uniform; superseded has a tenth of the records',
    positiveInteger,
    1_000_000,
  )
  .option('--runs <n>', 'rounds: every system once in each', positiveInteger, 2)
  .option('--variants <names>', `of ${restoreVariants.join(', ')}`, listOf(restoreVariants), restoreVariants)
  .option(
    '--systems <names>',
    `of ${restoreSystemNames.join(', ')}`,
    listOf(restoreSystemNames),
    restoreSystemNames,
  )
  .option('--seed <n>', 'of keys and values; random by default', positiveInteger)
  .option('--partitions <n>', 'of the changelog', positiveInteger, 8)
  .option('--value-bytes <n>', 'bytes of a value, at least 4', positiveInteger, 100)
  .option('--memory-bytes <n>', 'WEIR_MEMORY_BYTES', positiveInteger, 2 ** 31)
  .option('--timeout-seconds <n>', 'of one run', positiveInteger, 900)
  .option(
    '--output <file>',
    'where the results go; bench/results/restore.json when everything was run, else build/bench/restore.json',
  )
  .action(async (given) => {
    const isComplete =
      restoreVariants.every((name) => given.variants.includes(name)) &&
      restoreSystemNames.every((name) => given.systems.includes(name))
    const output =
      given.output ?? join(repoDir, isComplete ? 'bench/results/restore.json' : 'build/bench/restore.json')
    const results = await runRestore(
      {
        records: given.records,
        keys: given.keys,
        rounds: given.runs,
        variants: given.variants,
        systems: given.systems,
        seed: given.seed ?? randomInt(1, 2 ** 31),
        partitions: given.partitions,
        valueBytes: given.valueBytes,
        memoryBytes: given.memoryBytes,
        timeoutMs: given.timeoutSeconds * 1_000,
      },
      (line) => console.log(line),
    )
    for (const ratio of results.ratios) console.log(lineOf(ratio))
    writeResults(output, results)
    console.log(`written to ${relative(process.cwd(), output)}`)
  })

try {
  await program.parseAsync()
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

function lineOf({ variant, peerSystem, recordsPerCpuSecond, recordsPerSecond, peakRssBytes }: Ratio): string {
  return (
    `${variant}: weir does ${recordsPerCpuSecond} x the records per CPU-second of ${peerSystem}, ` +
    `${recordsPerSecond} x the records per second, with ${peakRssBytes} x the memory`
  )
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number, at least 1')
  return value
}

function listOf(allowed: string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim())
    const unknown = names.find((name) => !allowed.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is none of ${allowed.join(', ')}`)
    return names
  }
}
