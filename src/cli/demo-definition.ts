import type { Command } from 'commander'

import { positiveInteger } from './arguments.ts'
import { describeCommand } from './command-help.ts'

export function defineDemo(weir: Command): void {
  const demo = weir
    .command('demo')
    .description('run the segmentation example on an embedded broker, with a live view')
    .option('--records <count>', 'stop by itself after this many events', positiveInteger)
    .option('--threads <count>', 'stream threads (default: the cores)', positiveInteger)
    .option('--rate <count>', 'events per second (default: as fast as they are processed)', positiveInteger)
    .option('--plain', 'progress lines instead of the live view')
    .action(async (options: { records?: number; threads?: number; rate?: number; plain?: true }) => {
      const { runDemo } = await import('./demo-command.ts')
      await runDemo({
        records: options.records ?? null,
        threads: options.threads ?? null,
        eventsPerSecond: options.rate ?? null,
        plain: options.plain === true || process.stdout.isTTY !== true,
      })
    })
  describeCommand(demo, [
    ['weir demo', 'until Ctrl-C'],
    ['weir demo --records 200000', 'stops by itself, with a summary'],
    ['weir demo --rate 5000 --threads 2', 'leaves the machine some room'],
  ])
}
