#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import type { DlqOptions, ReplayOptions } from './dlq-command.ts'
import { reportError } from './report-error.ts'
import type { ResetOptions } from './reset-command.ts'

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
    .command('schemas')
    .description("a topology's schemas and its schema registry")
    .command('check')
    .description(
      "compare the topology's schemas with those that the registry has, by each subject's rule; exit code 1 when one breaks it",
    )
    .argument('<module>', 'the file whose default export is the topology')
    .option('--json', 'as JSON')
    .action(async (module: string, options: { json?: true }) => {
      const { checkSchemas } = await import('./schemas-check-command.ts')
      const { WeirError } = await import('../errors/weir-error.ts')
      const { text, refused } = await checkSchemas(module, { json: options.json === true })
      process.stdout.write(text)
      if (refused.length > 0)
        throw new WeirError(
          'schema-refused',
          `the topology cannot run with what is registered: ${refused.join(', ')}`,
        )
    })

  weir
    .command('cassandra')
    .description("a topology's tables in Cassandra")
    .command('init')
    .description(
      'create the keyspace and the tables that the topology writes to, as far as they are not there; nothing that is there is changed, and a table ' +
        'with other columns, types or keys is an error',
    )
    .argument('<module>', 'the file whose default export is the topology')
    .option(
      '--replication <copies>',
      'of a keyspace that is created: 3 (in the local data centre), or dc1:3,dc2:2',
    )
    .option('--print', 'print the CQL, and connect to nothing')
    .action(async (module: string, options: { replication?: string; print?: true }) => {
      const { initCassandra } = await import('./cassandra-init-command.ts')
      await initCassandra(module, options, (line) => process.stdout.write(`${line}\n`))
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

  weir
    .command('codegen')
    .description('write TypeScript types of Avro schemas, for serdes.avro')
    .argument('[files...]', '.avsc files; one may use names that another has')
    .requiredOption('--out <folder>', 'where a file for each schema is written')
    .option(
      '--subject <subjects...>',
      "subjects of the schema registry, whose newest schemas' types are written",
    )
    .addOption(new Option('--longs <type>', 'what long is').choices(['number', 'bigint']).default('number'))
    .action(
      async (files: string[], options: { out: string; subject?: string[]; longs: 'number' | 'bigint' }) => {
        const { runCodegen } = await import('./codegen-command.ts')
        const { out, subject: subjects = [], longs } = options
        const written = await runCodegen({ files, subjects, out, longs })
        process.stdout.write(`${written.join('\n')}\n`)
      },
    )

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

  addDlq(weir)
  return weir
}

function addDlq(weir: Command): void {
  const dlq = weir
    .command('dlq')
    .description('look at what is in a dead-letter topic, and write it back to where it came from')
    .enablePositionalOptions()
  const command = (name: string): Command =>
    dlq
      .command(name)
      .option('--topic <name>', 'the dead-letter topic (default: WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME)')
      .option('--records <list>', 'these: partition:offset or partition:from-to, separated by commas')
      .option('--source <topic>', 'those that came from this topic')
      .option('--exception <name>', 'those with this error')
      .option('--json', 'as JSON')
  command('list')
    .description('a line for each dead letter: where it came from, and why it is there')
    .option('--limit <count>', 'no more than these (default: 100)', positiveInteger)
    .action(async (options: DlqOptions) => {
      const { listDeadLetters } = await import('./dlq-command.ts')
      await listDeadLetters(options)
    })
  command('show')
    .description('dead letters as a whole: headers, key and value, the stack')
    .argument('[module]', 'the topology: keys and values are read with its serdes')
    .option('--limit <count>', 'no more than these (default: 100)', positiveInteger)
    .action(async (module: string | undefined, options: DlqOptions) => {
      const { showDeadLetters } = await import('./dlq-command.ts')
      await showDeadLetters(module ?? null, options)
    })
  command('replay')
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
}

function topicNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => !/^[A-Za-z0-9._-]{1,249}$/.test(name)))
    throw new InvalidArgumentError("Expected topics' names, separated by commas.")
  return names
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
