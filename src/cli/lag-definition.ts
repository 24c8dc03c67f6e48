import type { Command } from 'commander'

import { seconds } from './arguments.ts'
import { describeCommand } from './command-help.ts'

export function defineLag(weir: Command): void {
  const lag = weir
    .command('lag')
    .summary('how far each task is behind, in records and in seconds')
    .description(
      'how far an application is behind, by task and partition, repartition topics included: in records, from the committed offset to the end ' +
        '(under exactly_once_v2 to where committed records end: open transactions are no lag); in seconds, from the timestamp of the first record ' +
        'that is not committed to now, 0 where there is none. What is processed and not committed yet is behind, too',
    )
    .argument('<module>', 'the file whose default export is the topology')
    .option('--follow', 'look again and again, until Ctrl-C; with the change since the last look')
    .option('--interval <seconds>', 'between two looks of --follow', seconds, 5)
    .option('--json', 'as JSON; with --follow an object a line')
    .action(async (module: string, options: { follow?: true; interval: number; json?: true }) => {
      const { showLag } = await import('./lag-command.ts')
      await showLag(module, {
        follow: options.follow === true,
        intervalMs: options.interval * 1_000,
        json: options.json === true,
      })
    })
  describeCommand(
    lag,
    [
      ['weir lag segments.ts', 'once'],
      ['weir lag segments.ts --follow --interval 2', 'every two seconds: whether it catches up'],
      ["weir lag segments.ts --json | jq '.records'", 'one number for a script'],
    ],
    {
      0: 'it was looked, however far behind the application is',
      1: 'no broker answers, or an ACL denies it',
    },
  )
}
