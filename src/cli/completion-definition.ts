import { Argument, type Command } from 'commander'

import { describeCommand } from './command-help.ts'

export function defineCompletion(weir: Command): void {
  const completion = weir
    .command('completion')
    .description('print what makes a shell complete the commands, options and files of weir')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./completion-script.ts')
      process.stdout.write(completionScript(weir, shell))
    })
  describeCommand(completion, [
    ['source <(weir completion bash)', 'in this shell; put the line into ~/.bashrc'],
    ['source <(weir completion zsh)', 'in this shell; put the line into ~/.zshrc, after compinit'],
    ['weir completion fish > ~/.config/fish/completions/weir.fish', 'from the next shell on'],
  ])
}
