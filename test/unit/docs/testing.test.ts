import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

test('the example of docs/testing.md passes', () => {
  const page = readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8')
  const [, code] = /```ts\n(.*?)```/s.exec(page)!
  const local = code!
    .replace("'weir'", `'${new URL('../../../src/index.ts', import.meta.url)}'`)
    .replace("'weir/testing'", `'${new URL('../../../src/testing/index.ts', import.meta.url)}'`)
  const folder = mkdtempSync(join(tmpdir(), 'weir-docs-'))
  try {
    const file = join(folder, 'example.test.mts')
    writeFileSync(file, local)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const report = execFileSync(process.execPath, ['--test', '--test-reporter=tap', file], {
      encoding: 'utf8',
      env,
    })
    assert.match(report, /^ok 1 - words are counted$/m)
    assert.match(report, /^# pass 1$/m)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
