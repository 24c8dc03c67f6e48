import type { Argument, Command, Option } from 'commander'

/** What a shell offers where a value is to come: these words, or names of files or folders, or nothing. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' | 'folders' | 'nothing' }

export interface CompletedOption {
  /** `--limit`, `-h` */
  readonly flags: readonly string[]
  readonly description: string
  /** null: it takes no value. */
  readonly values: Values | null
}

/** A command as a shell sees it. */
export interface CompletedCommand {
  /** `weir`, `weir dlq`, `weir dlq list` */
  readonly path: string
  readonly name: string
  readonly description: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletedOption[]
  /** What may stand as its argument. */
  readonly values: Values
}

/** Names that arguments of files and folders have in the commands. */
const FILES: ReadonlySet<string> = new Set(['module', 'files', 'file'])
const FOLDERS: ReadonlySet<string> = new Set(['folder'])

/** A command and all below it. */
export function completedCommands(command: Command, parents = ''): CompletedCommand[] {
  const path = parents === '' ? command.name() : `${parents} ${command.name()}`
  const [argument] = command.registeredArguments
  const own: CompletedCommand = {
    path,
    name: command.name(),
    description: command.description(),
    commands: command.commands.map((one) => ({
      name: one.name(),
      description: one.summary() || one.description(),
    })),
    options: [
      ...command.options.filter(({ hidden }) => !hidden).map(completedOption),
      { flags: ['--help'], description: 'what it does, with examples', values: null },
    ],
    values: valuesOf(argument?.name() ?? '', argument),
  }
  return [own, ...command.commands.flatMap((one) => completedCommands(one, path))]
}

function completedOption(option: Option): CompletedOption {
  const { short, long, description, required, optional } = option
  // `<folder>` of `--out <folder>`
  const [, name = ''] = /[<[]([a-z]+)/.exec(option.flags) ?? []
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    values: required || optional ? valuesOf(name, option) : null,
  }
}

function valuesOf(name: string, given: Pick<Argument | Option, 'argChoices'> | undefined): Values {
  if (given?.argChoices !== undefined) return { kind: 'words', words: given.argChoices }
  if (FILES.has(name)) return { kind: 'files' }
  return { kind: FOLDERS.has(name) ? 'folders' : 'nothing' }
}
