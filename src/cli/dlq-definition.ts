import { type Command, Option } from 'commander'

import { positiveInteger } from './arguments.ts'
import { describeCommand } from './command-help.ts'
import type { DlqOptions, ReplayOptions } from './dlq-command.ts'

export function defineDlq(weir: Command): void {
  const dlq = weir
    .command('dlq')
    .description('look at what is in a dead-letter topic, and write it back to where it came from')
    .enablePositionalOptions()
  describeCommand(dlq, [['weir dlq list', 'what is in the dead-letter topic of this environment']])
  const command = (name: string): Command =>
    dlq
      .command(name)
      .option('--topic <name>', 'the dead-letter topic (default: WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME)')
      .option('--records <list>', 'these: partition:offset or partition:from-to, separated by commas')
      .option('--source <topic>', 'those that came from this topic')
      .option('--exception <name>', 'those with this error')
      .option('--json', 'as JSON')
  const list = command('list')
    .description('a line for each dead letter: where it came from, and why it is there')
    .option('--limit <count>', 'no more than these (default: 100)', positiveInteger)
    .action(async (options: DlqOptions) => {
      const { listDeadLetters } = await import('./dlq-command.ts')
      await listDeadLetters(options)
    })
  describeCommand(list, [
    ['weir dlq list --topic dead-letters', 'the first hundred'],
    ['weir dlq list --exception RangeError --json', 'of one error, as data'],
  ])
  const show = command('show')
    .description('dead letters as a whole: headers, key and value, the stack')
    .argument('[module]', 'the topology: keys and values are read with its serdes')
    .option('--limit <count>', 'no more than these (default: 100)', positiveInteger)
    .action(async (module: string | undefined, options: DlqOptions) => {
      const { showDeadLetters } = await import('./dlq-command.ts')
      await showDeadLetters(module ?? null, options)
    })
  describeCommand(show, [
    ['weir dlq show segments.ts --records 0:17', 'one, read with the serdes of its source'],
  ])
  const replay = command('replay')
    .description(
      'write dead letters to the topics and partitions that they came from, as they came. Prints what is going to be done; does it on a yes at ' +
        'the terminal, or with --execute',
    )
    .option('--all', 'all of them')
    .option('--execute', 'do it without asking')
    .addOption(new Option('--dry-run', 'never ask').conflicts('execute'))
    .action(async (options: ReplayOptions) => {
      const { replayDeadLetters } = await import('./dlq-command.ts')
      await replayDeadLetters(options)
    })
  describeCommand(
    replay,
    [
      ['weir dlq replay --records 0:17-42', 'what would be written back; asks, on a terminal'],
      ['weir dlq replay --source page-views --execute', 'writes all back that came from there'],
    ],
    { 1: 'a record could not be written: how many were is said' },
  )
}
