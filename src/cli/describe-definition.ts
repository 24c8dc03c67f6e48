import { type Command, Option } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineDescribe(weir: Command): void {
  const describe = weir
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
  describeCommand(describe, [
    ['weir describe segments.ts', 'as text'],
    ['weir describe segments.ts --svg > segments.svg', 'as a picture'],
    ["weir describe segments.ts --json | jq '.subtopologies[].stores'", 'as data'],
  ])
}
