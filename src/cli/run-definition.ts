import type { Command } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineRun(weir: Command): void {
  const run = weir
    .command('run')
    .description('run a topology as a worker until SIGTERM or SIGINT')
    .argument('<module>', 'the file whose default export is the topology')
    .action(async (module: string) => {
      const { runWorker } = await import('./run-command.ts')
      await runWorker(module)
    })
  describeCommand(
    run,
    [
      [
        'WEIR_APPLICATION_ID=segments WEIR_BOOTSTRAP_SERVERS=localhost:9092 weir run segments.ts',
        'a worker; start as many as you like',
      ],
      [
        'WEIR_NUM_STREAM_THREADS=4 weir run segments.ts',
        'with four stream threads, the rest from the environment',
      ],
    ],
    {
      0: 'a signal stopped it: all is committed and closed',
      1: 'an error stopped it, or the stop took longer than WEIR_SHUTDOWN_TIMEOUT_MS',
    },
  )
}
