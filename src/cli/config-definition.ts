import { type Command, Option } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineConfig(weir: Command): void {
  const config = weir
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
  describeCommand(
    config,
    [
      ['weir config', 'what a worker with this environment would run with'],
      ['weir config --json | jq \'.settings[] | select(.source != "default")\'', 'what is not a default'],
    ],
    { 2: 'a setting cannot be used; all are printed all the same' },
  )
}
