import { type Command, Option } from 'commander'

import { describeCommand } from './command-help.ts'

interface Options {
  readonly out: string
  readonly subject?: string[]
  readonly longs: 'number' | 'bigint'
}

export function defineCodegen(weir: Command): void {
  const codegen = weir
    .command('codegen')
    .description('write TypeScript types of Avro schemas, for serdes.avro')
    .argument('[files...]', '.avsc files; one may use names that another has')
    .requiredOption('--out <folder>', 'where a file for each schema is written')
    .option(
      '--subject <subjects...>',
      "subjects of the schema registry, whose newest schemas' types are written",
    )
    .addOption(new Option('--longs <type>', 'what long is').choices(['number', 'bigint']).default('number'))
    .action(async (files: string[], options: Options) => {
      const { runCodegen } = await import('./codegen-command.ts')
      const { out, subject: subjects = [], longs } = options
      const written = await runCodegen({ files, subjects, out, longs })
      process.stdout.write(`${written.join('\n')}\n`)
    })
  describeCommand(codegen, [
    ['weir codegen schemas/*.avsc --out src/generated', 'of files'],
    [
      'weir codegen --subject page-views-value --out src/generated --longs bigint',
      "of the registry's newest schema",
    ],
  ])
}
