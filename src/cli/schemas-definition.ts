import type { Command } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineSchemas(weir: Command): void {
  const schemas = weir.command('schemas').description("a topology's schemas and its schema registry")
  describeCommand(schemas, [
    ['weir schemas check segments.ts', 'whether the registry would take its schemas'],
  ])
  const check = schemas
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
  describeCommand(
    check,
    [
      [
        'WEIR_SCHEMA_REGISTRY_URL=http://localhost:8081 weir schemas check segments.ts',
        'in a build, before a deploy',
      ],
    ],
    { 1: 'a schema breaks the rule of its subject, or is missing; the registry does not answer' },
  )
}
