/**
 * Scripts that make a shell complete weir: made from the commands' definitions, and complete by themselves, so that a key press starts no process. Files and
 * folders are left to the shell.
 */
import type { Command } from 'commander'

import {
  type CompletedCommand,
  type CompletedOption,
  completedCommands,
  type Values,
} from './completion-words.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

const COLUMNS_OF_DESCRIPTIONS = 70

/** @param program the root of the commands */
export function completionScript(program: Command, shell: Shell): string {
  const commands = completedCommands(program)
  return { bash, zsh, fish }[shell](commands)
}

/** The first part of a description, as lists of a shell have room for. */
function short(description: string): string {
  const [clause = ''] = description.replace(/ \([^)]*\)/g, '').split(/[;:.] /)
  return clause.length <= COLUMNS_OF_DESCRIPTIONS
    ? clause
    : `${clause.slice(0, COLUMNS_OF_DESCRIPTIONS - 3)}...`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** `'weir dlq'|'weir dlq list'` */
function pattern(words: readonly string[]): string {
  return words.map(quoted).join('|')
}

function below(commands: readonly CompletedCommand[]): readonly CompletedCommand[] {
  return commands.slice(1)
}

function withValues(options: readonly CompletedOption[]): (CompletedOption & { readonly values: Values })[] {
  return options.filter((option) => option.values !== null) as (CompletedOption & { values: Values })[]
}

/** Which command the words before the cursor name: the same loop in bash and zsh. */
function commandOf(commands: readonly CompletedCommand[]): string {
  return `    case "$cmd $word" in
      ${pattern(below(commands).map(({ path }) => path))}) cmd="$cmd $word" ;;
    esac`
}

function bash(commands: readonly CompletedCommand[]): string {
  const values = (given: Values): string => {
    if (given.kind === 'words')
      return `mapfile -t COMPREPLY < <(compgen -W ${quoted(given.words.join(' '))} -- "$cur")`
    if (given.kind === 'nothing') return ':'
    return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -${given.kind === 'files' ? 'f' : 'd'} -- "$cur")`
  }
  const taking = commands.flatMap(({ path, options }) =>
    withValues(options).map((option) => {
      const places = option.flags.map((flag) => `${path} ${flag}`)
      return `    ${pattern(places)}) ${values(option.values)}; return ;;`
    }),
  )
  const flags = commands.map(({ path, options }) => {
    const words = options.flatMap((option) => option.flags)
    return `      ${quoted(path)}) ${values({ kind: 'words', words })} ;;`
  })
  const rest = commands.map(({ path, commands: names, values: given }) => {
    const offered: Values =
      names.length > 0 ? { kind: 'words', words: [...names.map(({ name }) => name), 'help'] } : given
    return `    ${quoted(path)}) ${values(offered)} ;;`
  })
  return `# Completion of weir for bash: source <(weir completion bash)
_weir() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} cmd=weir word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
${commandOf(commands)}
  done
  case "$cmd $prev" in
${taking.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$cmd" in
${flags.join('\n')}
    esac
    return
  fi
  case "$cmd" in
${rest.join('\n')}
  esac
}
complete -F _weir weir
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  const values = (given: Values): string => {
    if (given.kind === 'words') return `compadd -- ${given.words.map(quoted).join(' ')}`
    if (given.kind === 'nothing') return ':'
    return given.kind === 'files' ? '_files' : '_files -/'
  }
  const described = (entries: readonly (readonly [word: string, description: string])[]): string =>
    entries
      .map(([word, description]) => quoted(`${word.replaceAll(':', '\\:')}:${short(description)}`))
      .join(' ')
  const taking = commands.flatMap(({ path, options }) =>
    withValues(options).map((option) => {
      const places = option.flags.map((flag) => `${path} ${flag}`)
      return `    ${pattern(places)}) ${values(option.values)}; return ;;`
    }),
  )
  const flags = commands.map(({ path, options }) => {
    const entries = options.flatMap((option) =>
      option.flags.map((flag) => [flag, option.description] as const),
    )
    return `      ${quoted(path)}) list=(${described(entries)}) ;;`
  })
  const rest = commands.map(({ path, commands: names, values: given }) => {
    if (names.length === 0) return `    ${quoted(path)}) ${values(given)} ;;`
    const entries = names.map(({ name, description }) => [name, description] as const)
    return `    ${quoted(path)}) list=(${described(entries)}); _describe -t commands command list ;;`
  })
  return `#compdef weir
# Completion of weir for zsh: source <(weir completion zsh), after compinit
_weir() {
  local cmd=weir word i
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
${commandOf(commands)}
  done
  case "$cmd \${words[CURRENT-1]}" in
${taking.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$cmd" in
${flags.join('\n')}
    esac
    _describe -o option list
    return
  fi
  case "$cmd" in
${rest.join('\n')}
  esac
}
if [[ $funcstack[1] == _weir ]]; then
  _weir "$@"
else
  compdef _weir weir
fi
`
}

function fish(commands: readonly CompletedCommand[]): string {
  const at = (path: string): string => `complete -c weir -n ${quoted(`__weir_at ${quoted(path)}`)}`
  const lines = commands.flatMap(({ path, commands: names, options, values: given }) => [
    ...names.map(
      ({ name, description }) => `${at(path)} -f -a ${quoted(name)} -d ${quoted(short(description))}`,
    ),
    ...(names.length > 0 ? [] : [`${at(path)} ${fishValues(given)}`]),
    ...options.map((option) => {
      const flags = option.flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      )
      const value = option.values === null ? '' : ` -r ${fishValues(option.values)}`
      return `${at(path)} ${flags.join(' ')}${value} -d ${quoted(short(option.description))}`
    }),
  ])
  return `# Completion of weir for fish: weir completion fish > ~/.config/fish/completions/weir.fish
function __weir_at --description 'whether the words before the cursor name this command'
  set -l cmd weir
  for word in (commandline -opc)[2..-1]
    switch "$cmd $word"
      case ${below(commands)
        .map(({ path }) => quoted(path))
        .join(' ')}
        set cmd "$cmd $word"
    end
  end
  test "$cmd" = "$argv[1]"
end
complete -c weir -e
${lines.join('\n')}
`
}

function fishValues(given: Values): string {
  if (given.kind === 'words') return `-f -a ${quoted(given.words.join(' '))}`
  if (given.kind === 'folders') return "-f -a '(__fish_complete_directories)'"
  return given.kind === 'files' ? '-F' : '-f'
}
