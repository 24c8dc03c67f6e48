import type { Command } from 'commander'

import { seconds } from './arguments.ts'
import { describeCommand } from './command-help.ts'

export function defineTop(weir: Command): void {
  const top = weir
    .command('top')
    .summary('a live view of a running worker')
    .description(
      'a live view of a running worker, from its /metrics: state, threads, tasks, lag, commits, heap, caches, restores, RocksDB, slow nodes',
    )
    .argument(
      '[url]',
      'where it serves HTTP: host:port or a URL (default: WEIR_HTTP_HOST and WEIR_HTTP_PORT, else 127.0.0.1:8080)',
    )
    .option('--interval <seconds>', 'between two looks: rates are of this time', seconds, 2)
    .option('--once', 'look twice, print, and end')
    .option('--json', 'as JSON; without --once an object a line')
    .action(async (url: string | undefined, options: { interval: number; once?: true; json?: true }) => {
      const { showTop } = await import('./top-command.ts')
      await showTop(url ?? null, {
        intervalMs: options.interval * 1_000,
        once: options.once === true,
        json: options.json === true,
      })
    })
  describeCommand(
    top,
    [
      ['weir top', 'the worker on this machine, until Ctrl-C'],
      ['weir top weir-0.weir:8080', 'one of a StatefulSet'],
      ["weir top --once --json | jq '.recordsPerSecond'", 'one number for a script'],
    ],
    {
      1: 'the worker does not answer, or it is no worker (at the start; a live view waits for one that goes)',
    },
  )
}
