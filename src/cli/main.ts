#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import { reportError } from './report-error.ts'

/** Each command's code is loaded when it is asked for: `weir config` needs no native addon. */
function program(): Command {
  const weir = new Command('weir')
    .description(
      'Stateful stream processing on Kafka. Settings are WEIR_* environment variables: see weir config.',
    )
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'weir: ')) })
    .enablePositionalOptions()

  weir
    .command('run')
    .description('run a topology as a worker until SIGTERM or SIGINT')
    .argument('<module>', 'the file whose default export is the topology')
    .action(async (module: string) => {
      const { runWorker } = await import('./run-command.ts')
      await runWorker(module)
    })

  weir
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

  weir
    .command('describe')
    .description("print a topology's sub-topologies, processors, stores and topics, as Kafka Streams does")
    .argument('<module>', 'the file whose default export is the topology')
    .addOption(new Option('--json', 'as JSON: sub-topologies, nodes, stores, topics').conflicts('svg'))
    .option('--svg', 'as a picture')
    .action(async (module: string, options: { json?: true; svg?: true }) => {
      const { describeModule } = await import('./describe-command.ts')
      const format = options.json === true ? 'json' : options.svg === true ? 'svg' : 'text'
      const optimization = process.env.WEIR_TOPOLOGY_OPTIMIZATION || 'none'
      process.stdout.write(await describeModule(module, format, optimization))
    })

  weir
    .command('config')
    .description('print every setting with its value, default and meaning; secrets are hidden')
    .addOption(new Option('--json', 'as JSON'))
    .action(async (options: { json?: true }) => {
      const { reportConfig } = await import('./config-command.ts')
      const { ConfigError } = await import('../config/config-error.ts')
      const { text, problems } = reportConfig({ json: options.json === true })
      process.stdout.write(`${text}\n`)
      if (problems.length > 0) throw new ConfigError(problems)
    })

  weir
    .command('state')
    .description('show what a state folder that no worker uses has: stores, keys, sizes, offsets, segments')
    .argument('<folder>', "a WEIR_STATE_DIR, an application's folder in it, or a task's folder in that")
    .addOption(new Option('--json', 'as JSON'))
    .option('--count', 'read every row: exact counts, and every checksum is checked')
    .action(async (folder: string, options: { json?: true; count?: true }) => {
      const { reportState } = await import('./state-command.ts')
      const { text, damage } = await reportState(folder, {
        json: options.json === true,
        count: options.count === true,
        nowMs: Date.now(),
      })
      process.stdout.write(`${text}\n`)
      if (damage !== null) throw damage
    })

  return weir
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > Number.MAX_SAFE_INTEGER) {
    throw new InvalidArgumentError('Expected an integer of at least 1.')
  }
  return value
}

/** @returns the exit code: 0, 1 for a failure at run time, 2 for what was given wrongly */
async function main(): Promise<number> {
  try {
    await program().parseAsync()
    return 0
  } catch (error) {
    // Commander has printed its own message; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return reportError(error)
  }
}

// Ended explicitly: after an error something native may still run.
process.exit(await main())
