import { type Command, Option } from 'commander'

import { topicNames } from './arguments.ts'
import { describeCommand } from './command-help.ts'
import type { ResetOptions } from './reset-command.ts'

export function defineReset(weir: Command): void {
  const targets = {
    toEarliest: new Option('--to-earliest', 'the source topics are read from their beginnings (the default)'),
    toLatest: new Option('--to-latest', '... from their ends'),
    toOffset: new Option('--to-offset <offset>', '... from this offset'),
    toDatetime: new Option('--to-datetime <time>', '... from 2025-06-30T12:00:00.000 (UTC, or with +02:00)'),
    byDuration: new Option('--by-duration <duration>', '... from a time ago: P1DT12H, PT90S'),
    shiftBy: new Option(
      '--shift-by <count>',
      '... from so many records after (-: before) the committed offset',
    ),
    fromFile: new Option('--from-file <file>', '... from where its lines say: topic,partition,offset'),
  }
  const reset = weir
    .command('reset')
    .summary('make an application begin anew: offsets, internal topics, local state')
    .description(
      "reset an application as Kafka's kafka-streams-application-reset does: the source topics' committed offsets, internal topics, local " +
        'state. Prints what is going to be done; does it on a yes at the terminal, or with --execute. No process of the application may run',
    )
    .argument('[module]', 'the topology; without it only internal topics that are named are deleted')
    .option('--input-topics <topics>', 'only these source topics, separated by commas', topicNames)
    .option(
      '--internal-topics <topics>',
      "delete these too: an older topology's, or without a module",
      topicNames,
    )
    .option('--local-state', "delete the application's state in this machine's WEIR_STATE_DIR")
    .option('--execute', 'do it without asking')
    .addOption(new Option('--dry-run', 'never ask').conflicts('execute'))
    .option('--json', 'the plan as JSON')
    .addOption(new Option('--force').hideHelp())
  for (const [name, option] of Object.entries(targets))
    reset.addOption(option.conflicts(Object.keys(targets).filter((other) => other !== name)))
  reset.action(async (module: string | undefined, options: ResetOptions) => {
    const { resetApplication } = await import('./reset-command.ts')
    await resetApplication(module ?? null, options)
  })
  describeCommand(
    reset,
    [
      ['weir reset segments.ts', 'what is going to be done; asks, on a terminal'],
      ['weir reset segments.ts --local-state --execute', 'does it: for scripts'],
      ['weir reset segments.ts --by-duration P1D', 'the last day once more'],
      ['weir reset segments.ts --dry-run --json', 'the plan as data'],
    ],
    { 1: 'the group has members, a process has the state folder, or a broker refuses' },
  )
}
