import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Command } from 'commander'

import { commandHelp } from '../../../src/cli/command-help.ts'
import { cliDocument } from '../../../src/cli/documentation.ts'
import { program } from '../../../src/cli/program.ts'

test('docs/cli.md is what the definitions say; npm run docs writes it anew', () => {
  const committed = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
  assert.equal(committed, cliDocument(program()))
})

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)]
}

/** The words of a line that go to weir: without what stands before and behind it. */
function argumentsOf(line: string): string[] {
  const [, words = ''] = /\bweir\s+([^|<>()]*)/.exec(line) ?? []
  return words.trim().split(/\s+/)
}

describe('examples', () => {
  for (const command of all(program())) {
    test(`${command.name()} has some, which its help shows`, () => {
      const { examples } = commandHelp(command)
      assert.ok(examples.length > 0)
      let help = ''
      const writeOut = (text: string): void => {
        help += text
      }
      command.configureOutput({ writeOut }).outputHelp()
      for (const { line, what } of examples) {
        assert.ok(help.includes(`  ${line}\n      ${what}\n`), help)
      }
    })
  }

  const examples = all(program()).flatMap((command) => commandHelp(command).examples)
  for (const { line } of examples) {
    test(`${line}: a command that there is, with options that it has`, () => {
      const weir = program()
      let ran = false
      for (const command of all(weir)) {
        command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} })
        if (command.commands.length > 0) continue
        command.action(() => {
          ran = true
        })
      }
      try {
        weir.parse(argumentsOf(line), { from: 'user' })
      } catch (error) {
        // weir help <command> ends so.
        assert.equal((error as { code?: string }).code, 'commander.help', String(error))
        ran = true
      }
      assert.ok(ran)
    })
  }
})
