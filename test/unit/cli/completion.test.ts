import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { completionScript, type Shell } from '../../../src/cli/completion-script.ts'
import { completedCommands } from '../../../src/cli/completion-words.ts'
import { program } from '../../../src/cli/program.ts'

const isThere = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`${shell}: every command and every option is in the script, what is hidden is not`, () => {
    const script = completionScript(program(), shell)
    for (const { path, name, options } of completedCommands(program())) {
      assert.ok(script.includes(`'${path}'`) || script.includes(`\\'${path}\\'`), path)
      assert.ok(script.includes(name), name)
      for (const { flags } of options)
        for (const flag of flags)
          assert.ok(script.includes(shell === 'fish' ? `-l ${flag.slice(2)}` : flag), `${path} ${flag}`)
    }
    assert.doesNotMatch(script, /--force|-l force/)
  })

  test(`${shell} reads the script`, {
    skip: !isThere(shell) && `there is no ${shell} on this machine`,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-completion-'))
    const file = join(folder, 'script')
    writeFileSync(file, completionScript(program(), shell))
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    assert.deepEqual([status, stderr], [0, ''])
  })
}

describe('bash completes', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-completion-'))
    writeFileSync(join(folder, 'seg ments.ts'), '')
    writeFileSync(join(folder, 'segments.csv'), '')
  })
  after(() => rmSync(folder, { recursive: true }))

  /** What is offered for the last word. */
  function complete(...words: readonly string[]): string[] {
    const quoted = ['weir', ...words].map((word) => `'${word}'`).join(' ')
    const script = `${completionScript(program(), 'bash')}
compopt() { :; }
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _weir; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' })
    assert.equal(stderr, '')
    return stdout.split('\n').filter((line) => line !== '')
  }

  const cases: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
    [['d'], ['demo', 'describe', 'dlq']],
    [
      ['dlq', ''],
      ['list', 'show', 'replay', 'help'],
    ],
    [['dlq', 'list', '--l'], ['--limit']],
    [['dlq', '--l'], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['codegen', '--longs', ''],
      ['number', 'bigint'],
    ],
    [
      ['run', 's'],
      ['seg ments.ts', 'segments.csv'],
    ],
    [['reset', 'segments.ts', '--from-file', 'segments.c'], ['segments.csv']],
    [['lag', 'segments.ts', '--interval', ''], []],
    [['lag', '--interval', '2', 'segments.c'], ['segments.csv']],
  ]
  for (const [words, offered] of cases)
    test(`weir ${words.join(' ')}`, () => assert.deepEqual(complete(...words).sort(), [...offered].sort()))
})
