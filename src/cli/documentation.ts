import type { Command } from 'commander'

import { errorCodes } from '../errors/codes.ts'
import { decisionFor } from '../errors/decision.ts'
import { commandHelp } from './command-help.ts'

/** docs/cli.md, from the definitions that the commands are run by. @param program the root of the commands */
export function cliDocument(program: Command): string {
  const sections = allCommands(program, '').map(({ command, path }) => commandSection(command, path))
  return `# The command line

<!-- Made by scripts/docs.ts from src/cli; npm run docs writes it anew. -->

\`weir help <command>\` prints what is here. Settings are \`WEIR_*\` environment variables ([configuration.md](configuration.md)); \`weir config\` prints them.
What a script wants is on standard output, as JSON with \`--json\`; messages, logs of the commands that look at a cluster, and bars of their progress are on standard
error, bars on a terminal alone.

| command | what it does |
| --- | --- |
${allCommands(program, '')
  .filter(({ command }) => command.commands.length === 0)
  .map(
    ({ command, path }) =>
      `| [\`${path}\`](#${anchor(path)}) | ${cell(command.summary() || firstSentence(command.description()))} |`,
  )
  .join('\n')}

## Exit codes

| code | when |
| --- | --- |
| 0 | It is done; help was asked for; a worker, a demo or a view was stopped by SIGTERM or SIGINT. |
| 1 | It failed while it ran. One line on standard error says what, where, and what is allowed. |
| 2 | Something was given wrongly, and nothing was begun: an argument or an option; ${givenWrongly()}. One line for each thing that is wrong. |
| 130, 143 | A second SIGINT or SIGTERM ended it at once. |

What a command says by them besides is in its section.

${sections.join('\n')}
## Completion

\`weir completion bash|zsh|fish\` prints a script that completes commands, options, their values where these are known, and files. It is made from the definitions
above and needs nothing else: a key press starts no process.
`
}

interface Named {
  readonly command: Command
  readonly path: string
}

/** All but the root. */
function allCommands(parent: Command, parents: string): Named[] {
  const prefix = parents === '' ? parent.name() : parents
  return parent.commands.flatMap((command) => {
    const path = `${prefix} ${command.name()}`
    return [{ command, path }, ...allCommands(command, path)]
  })
}

/** What decides about exit code 2, from the table of errors. */
function givenWrongly(): string {
  const codes = Object.keys(errorCodes) as (keyof typeof errorCodes)[]
  return codes
    .filter((code) => decisionFor({ code }).exitCode === 2)
    .map((code) => `${errorCodes[code].what} (\`${code}\`)`)
    .join('; ')
}

function commandSection(command: Command, path: string): string {
  const { examples, exits } = commandHelp(command)
  const parts = [`## ${path}\n`, `${sentence(command.description())}\n`]
  if (command.commands.length === 0)
    parts.push(`\`\`\`\n${[path, usageOf(command)].join(' ').trim()}\n\`\`\`\n`)
  const rows = [
    ...command.registeredArguments.map((argument) => [
      `${argument.required ? '<' : '['}${argument.name()}${argument.variadic ? '...' : ''}${argument.required ? '>' : ']'}`,
      withChoices(argument.description, argument.argChoices, undefined),
    ]),
    ...command.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, description, argChoices, defaultValue }) => [
        flags,
        withChoices(description, argChoices, defaultValue),
      ]),
  ]
  if (rows.length > 0)
    parts.push(
      `| | |\n| --- | --- |\n${rows.map(([name, what]) => `| \`${name}\` | ${cell(what!)} |`).join('\n')}\n`,
    )
  if (examples.length > 0)
    parts.push(`\`\`\`sh\n${examples.map(({ line, what }) => `${line}   # ${what}`).join('\n')}\n\`\`\`\n`)
  const codes = Object.entries(exits).map(([code, when]) => `- Exit code ${code}: ${when}.`)
  if (codes.length > 0) parts.push(`${codes.join('\n')}\n`)
  return parts.join('\n')
}

function usageOf(command: Command): string {
  return command.usage()
}

function withChoices(description: string, choices: readonly string[] | undefined, value: unknown): string {
  const allowed = choices === undefined ? '' : `; one of ${choices.join(', ')}`
  const standard = value === undefined ? '' : ` (default: ${String(value)})`
  return `${description}${allowed}${standard}`
}

function firstSentence(description: string): string {
  return description.split(/[;:.] /)[0]!
}

/** A description as a sentence. */
function sentence(description: string): string {
  return `${description[0]!.toUpperCase()}${description.slice(1)}.`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function anchor(heading: string): string {
  return heading.replaceAll(' ', '-')
}
