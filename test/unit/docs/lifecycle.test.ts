/** docs/lifecycle.md says what the code does. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { type ErrorEntry, errorCodes } from '../../../src/errors/codes.ts'
import { type ApplicationState, canFollow } from '../../../src/runtime/application-state.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const page = readFileSync(path.join(root, 'docs/lifecycle.md'), 'utf8')

/** The rows of the table below a heading of columns. */
function rowsBelow(head: string): string[][] {
  const [, rows] = page.split(`| ${head}`)
  assert.ok(rows !== undefined, head)
  return rows
    .split('\n\n')[0]!
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
}

test('the example compiles', () => {
  const build = path.join(root, 'build')
  mkdirSync(build, { recursive: true })
  const folder = mkdtempSync(path.join(build, 'docs-'))
  try {
    const [, code] = /```ts\n(.*?)```/s.exec(page)!
    writeFileSync(path.join(folder, 'example.ts'), code!.replace("'weir'", "'../../src/index.ts'"))
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        files: ['example.ts'],
        include: ['../../src/**/*.d.ts'],
        exclude: [],
      }),
    )
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', folder], { encoding: 'utf8' })
    assert.equal(stdout, '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the states and what follows them are those of the code', () => {
  const rows = rowsBelow('state | Kafka Streams')
  const states = rows.map(([, state]) => state as ApplicationState)
  for (const [, state, , , next] of rows) {
    const following = states.filter((other) => canFollow(state as ApplicationState, other))
    assert.equal(next, following.join(', '), state)
  }
  assert.equal(states.length, 7)
})

test('the errors that a new thread may mend are those of the table of errors', () => {
  const told = rowsBelow('error | what').map(([, code]) => code)
  const entries = Object.entries<ErrorEntry>(errorCodes).filter(
    ([, { newThreadMayHelp }]) => newThreadMayHelp,
  )
  assert.deepEqual(told.sort(), entries.map(([code]) => code).sort())
})
