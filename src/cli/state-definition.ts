import { type Command, Option } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineState(weir: Command): void {
  const state = weir
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
  describeCommand(
    state,
    [
      ['weir state /var/lib/weir', 'every application and task in it'],
      ['weir state /var/lib/weir/segments/0_3 --count', 'one task, every row and checksum of it'],
    ],
    { 1: 'a database in it is damaged, or in use' },
  )
}
