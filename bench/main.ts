import { Argument, Command } from 'commander'
import { avroCount } from './harness/avro-count-workload.ts'
import { addWorkload } from './harness/command.ts'
import { count } from './harness/count-workload.ts'
import { addFailover } from './harness/failover.ts'
import { largeState } from './harness/large-state-workload.ts'
import { rangeJoin } from './harness/range-join-workload.ts'
import { restore } from './harness/restore-workload.ts'
import { scrape } from './harness/scrape-workload.ts'
import { addSoak } from './harness/soak.ts'
import { tiered } from './harness/tiered-workload.ts'
import { microBenches, runMicroBenches } from './micro/run.ts'

const program = new Command('bench').description(
  'Measures Weir beside its peers on a real broker; see bench/README.md.',
)
addWorkload(program, count)
addWorkload(program, avroCount)
addWorkload(program, restore)
addWorkload(program, rangeJoin)
addWorkload(program, largeState)
addWorkload(program, tiered)
addWorkload(program, scrape)
addSoak(program)
addFailover(program)
program
  .command('micro')
  .description('single steps, without a broker')
  .addArgument(new Argument('[suites...]', 'default: all').choices([...microBenches]))
  .action((suites: string[]) => runMicroBenches(suites))

try {
  await program.parseAsync()
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
