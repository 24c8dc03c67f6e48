import type { Command } from 'commander'

/** A line to type, and what comes of it. */
export interface Example {
  readonly line: string
  readonly what: string
}

export interface CommandHelp {
  readonly examples: readonly Example[]
  /** What the command's own exit codes say, besides those that all commands have. */
  readonly exits: Readonly<Record<number, string>>
}

const helps = new WeakMap<Command, CommandHelp>()

/** Gives a command what its help shows below its options, which docs/cli.md has too. */
export function describeCommand(
  command: Command,
  examples: readonly (readonly [line: string, what: string])[],
  exits: Readonly<Record<number, string>> = {},
): Command {
  const help = { examples: examples.map(([line, what]) => ({ line, what })), exits }
  helps.set(command, help)
  return command.addHelpText('after', `\n${helpText(help)}`)
}

/** What a command was given; nothing for one that was given none. */
export function commandHelp(command: Command): CommandHelp {
  return helps.get(command) ?? { examples: [], exits: {} }
}

function helpText({ examples, exits }: CommandHelp): string {
  const lines = examples.map(({ line, what }) => `  ${line}\n      ${what}`)
  const codes = Object.entries(exits).map(([code, when]) => `  ${code}  ${when}`)
  const sections = [`Examples:\n${lines.join('\n')}`]
  if (codes.length > 0) sections.push(`Exit codes:\n${codes.join('\n')}`)
  return sections.join('\n\n')
}
