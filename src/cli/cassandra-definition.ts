import type { Command } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineCassandra(weir: Command): void {
  const cassandra = weir.command('cassandra').description("a topology's tables in Cassandra")
  describeCommand(cassandra, [['weir cassandra init segments.ts --print', 'the CQL of its tables']])
  const init = cassandra
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
  describeCommand(
    init,
    [
      [
        'weir cassandra init segments.ts --replication 3',
        'the keyspace, when it is not there, and the tables',
      ],
      ['weir cassandra init segments.ts --print > tables.cql', 'for somebody else to run'],
    ],
    { 1: 'a table is there with other columns; Cassandra does not answer, or refuses' },
  )
}
