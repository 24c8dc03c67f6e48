/** docs/queries.md says what the code does. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { isQueryErrorReason, QueryError } from '../../../src/query/query-error.ts'
import { queries } from '../../../src/query/state-query.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const page = readFileSync(path.join(root, 'docs/queries.md'), 'utf8')

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

test('every query is told, and every error with whether to try again', () => {
  for (const name of Object.keys(queries)) assert.match(page, new RegExp(`\\| \`queries\\.${name}\\(`))
  const rows = [...page.matchAll(/^\| ([\d, ]+|503, `retry-after`) \| `([a-z-]+)` \|/gm)]
  const told = rows.map(([, status, code]) => ({ status: status!, code: code! }))
  const own = told.filter(({ code }) => isQueryErrorReason(code))
  assert.equal(own.length, 9)
  for (const { status, code } of own) {
    const { isRetriable } = new QueryError(code as QueryError['code'], '')
    assert.equal(status.endsWith('`retry-after`'), isRetriable, code)
  }
})
